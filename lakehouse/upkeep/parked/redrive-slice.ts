/**
 * Sends on a slice that a flush set aside, once this deploy can make rows of it. Its buffer remembers the message's id, so it goes
 * as a message of its own under a fresh id, which is written down before it is used; its buffer takes that once. What it was parked
 * for decides for the whole slice: its events follow each other without lengths, so behind one that does not decode there are none.
 */
import { type Frame, PackedBlockError } from "../../../schemas/packed-block.ts";
import { markSliceRedriven, slicesRedrive } from "../../../sql/statements/parked-slices.ts";
import { singleFrame } from "./frame-fault.ts";
import { lookUpWhenSettled } from "./look-up.ts";
import type { RedriveDeps, Redriven } from "./redrive-deps.ts";
import { resendMessage } from "./resend-message.ts";
import { originOfSlice } from "./resend-origin.ts";
import { readResends, resendId } from "./resends.ts";

/** `bytes`: the object's. Throws what storage and queue throw; the slice is parked then, and another try is safe. */
export async function redriveSlice(key: string, bytes: Uint8Array, deps: RedriveDeps): Promise<Redriven> {
  const redrivenAt = await slicesRedrive(deps.db, key);
  // Marked now, the row would come later and wait for ever.
  if (redrivenAt === undefined) return { kind: "postponed", detail: "its flush has not registered it yet" };
  if (redrivenAt !== null) {
    await deps.bucket.delete(key);
    return { kind: "discarded", detail: `it was sent on at ${redrivenAt}` };
  }
  const frame = readable(bytes, deps);
  if (typeof frame === "string") return { kind: "kept", detail: frame };

  const origin = originOfSlice(frame);
  const resends = await readResends(deps.bucket, origin);
  const last = resends.ids.at(-1);
  if (last !== undefined && !deps.remembers(last)) {
    const { header } = resendMessage(frame.header, [frame], origin, last);
    const found = await lookUpWhenSettled(header, resends.ids, deps);
    if (found.kind !== "known") return found;
    if (found.stored.every(Boolean)) {
      await finish(key, deps);
      return { kind: "discarded", detail: "it was sent on already, and has arrived" };
    }
  }
  const messageId = await resendId(deps, origin, resends);
  if (messageId === undefined) return { kind: "postponed", detail: "somebody else is sending it" };
  const again = resendMessage(frame.header, [frame], origin, messageId);
  await deps.send(again.header.topic, again.bytes);
  await finish(key, deps);
  return { kind: "sent", messageId, events: again.header.count };
}

/** The slice, or why this deploy makes no rows of it. */
function readable(bytes: Uint8Array, { frameFault }: Pick<RedriveDeps, "frameFault">): Frame | string {
  try {
    const frame = singleFrame(bytes);
    return frameFault(frame) ?? frame;
  } catch (error) {
    if (error instanceof PackedBlockError) return `this deploy cannot read its bytes: ${error.message}`;
    throw error;
  }
}

/** The row first: an object without one is found again, a row without an object would not be. */
async function finish(key: string, { db, bucket }: Pick<RedriveDeps, "db" | "bucket">): Promise<void> {
  await markSliceRedriven(db, key).run();
  await bucket.delete(key);
}
