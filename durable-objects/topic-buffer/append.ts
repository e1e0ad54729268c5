/**
 * Appending frames: each message once, whatever is delivered again. Blocks are all that it writes: what they say of their messages
 * is noted when they are frozen (`noting.ts`), or at once by a shard that takes too many between two flushes.
 */
import { type Frame, readFrames } from "../../schemas/packed-block.ts";
import type { AppendResult } from "../stubs.ts";
import { noteFrames } from "./noting.ts";
import { hourOf, type RememberedIds } from "./remembered-ids.ts";
import type { BufferStore } from "./store.ts";

export interface AppendDeps {
  readonly store: BufferStore;
  readonly ids: RememberedIds;
  /** Runs `work` in one transaction of the object's storage. */
  transaction(work: () => void): void;
  /** Whether the buffer is too far behind to take anything new. */
  isFull(now: number): boolean;
}

/**
 * Appends the frames whose messages the shard does not have, all of them or, when it is full, none. Durable when the caller's output gate opens. Throws
 * `PackedBlockError` on bytes that are no frames and what the storage throws; then nothing was appended.
 */
export function appendFrames(deps: AppendDeps, frames: Uint8Array, now: number): AppendResult {
  const oldest = deps.ids.oldest(now);
  const stored: string[] = [];
  const tooOld: string[] = [];
  const fresh = new Map<string, Frame>();
  for (const frame of readFrames(frames)) {
    const id = frame.header.message_id;
    if (hourOf(id) < oldest) tooOld.push(id);
    else {
      stored.push(id);
      if (!fresh.has(id)) fresh.set(id, frame);
    }
  }
  for (const id of deps.ids.known(fresh.keys())) fresh.delete(id);
  if (fresh.size === 0) return { stored, tooOld, refused: [] };
  if (deps.isFull(now)) {
    return { stored: stored.filter((id) => !fresh.has(id)), tooOld, refused: [...fresh.keys()] };
  }
  appendFresh(deps, [...fresh.values()], now);
  return { stored, tooOld, refused: [] };
}

function appendFresh({ store, ids, transaction }: AppendDeps, frames: readonly Frame[], now: number): void {
  try {
    transaction(() => {
      const noted = ids.isFull(frames.length);
      store.appendFrames(frames, now, noted);
      if (noted) noteFrames(store, [frames]);
      else ids.add(frames.map((frame) => frame.header.message_id));
    });
  } catch (error) {
    ids.reset();
    store.reset();
    throw error;
  }
}
