/** Appending frames: each message once, whatever is delivered again; ids, blocks and counts in one transaction. */
import { wasSetAside } from "../../lakehouse/parked/resend-origin.ts";
import { type Frame, readFrames } from "../../schemas/packed-block.ts";
import type { AppendResult } from "../stubs.ts";
import { firstSlicesByHour, withArrivals } from "./arrivals.ts";
import { hourOf, type RememberedIds } from "./remembered-ids.ts";
import { hourOfReception } from "./set-aside.ts";
import type { BufferStore, LedgerLine } from "./store.ts";

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
      if (!fresh.has(id) && !deps.ids.has(id)) fresh.set(id, frame);
    }
  }
  if (fresh.size === 0) return { stored, tooOld, refused: [] };
  if (deps.isFull(now)) {
    return { stored: stored.filter((id) => !fresh.has(id)), tooOld, refused: [...fresh.keys()] };
  }
  appendFresh(deps, [...fresh.values()], now);
  return { stored, tooOld, refused: [] };
}

function appendFresh({ store, ids, transaction }: AppendDeps, frames: readonly Frame[], now: number): void {
  // What a flush set aside was counted when it first came: the same events come back.
  const counted = frames.filter(({ header }) => !wasSetAside(header));
  try {
    transaction(() => {
      store.appendFrames(
        frames.map((frame) => ({ bytes: frame.bytes, rows: frame.slice.count })),
        now,
      );
      ids.add(frames.map((frame) => frame.header.message_id));
      store.countEvents(ledgerLines(counted));
      for (const [hour, headers] of firstSlicesByHour(counted)) {
        store.arrivals.save(hour, withArrivals(store.arrivals.load(hour), headers));
      }
    });
  } catch (error) {
    ids.reset();
    store.reset();
    throw error;
  }
}

/** Counts per hour of reception: by label where the slice has labels (dead letters), what no label counts together. */
function ledgerLines(frames: readonly Frame[]): LedgerLine[] {
  const totals = new Map<string, LedgerLine>();
  const add = (hour: string, detail: string, events: number): void => {
    const key = `${hour} ${detail}`;
    totals.set(key, { hour, detail, events: (totals.get(key)?.events ?? 0) + events });
  };
  for (const { header, slice } of frames) {
    const hour = hourOfReception(header.received);
    let unlabelled = slice.count;
    for (const [label, events] of Object.entries(slice.tally)) {
      add(hour, label, events);
      unlabelled -= events;
    }
    if (unlabelled > 0) add(hour, "", unlabelled);
  }
  return [...totals.values()];
}
