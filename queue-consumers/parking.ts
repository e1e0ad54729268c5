/** Messages that cannot go on now, kept byte for byte in R2 until somebody re-drives them. Never a drop. */
import { contentsOf, metadataOf, parkedKey } from "../lakehouse/upkeep/parked/parked-message.ts";
import { noteParked } from "../lakehouse/upkeep/parked/parked-note.ts";
import type { Fault } from "./fault.ts";

export type ParkingBucket = Pick<R2Bucket, "head" | "put">;

/** The bytes of a queue message's body, whatever the runtime hands over. Never throws: a body of an odd kind must be parked too. */
export function bodyBytes(body: unknown): Uint8Array {
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  return new TextEncoder().encode(typeof body === "string" ? body : textOf(body));
}

// Ours are always bytes; of what others may send, JSON refuses bigint and cycles.
function textOf(body: unknown): string {
  try {
    return JSON.stringify(body) ?? String(body);
  } catch {
    return String(body);
  }
}

/** Writes `parked/<queue>/<queue message id>`; idempotent, since the id is the queue's own. */
export async function park(bucket: ParkingBucket, queue: string, message: Message, fault: Fault): Promise<void> {
  const { cause, detail } = fault;
  const { attempts, timestamp } = message;
  const bytes = bodyBytes(message.body);
  await bucket.put(parkedKey(queue, message.id), bytes, {
    customMetadata: metadataOf({ cause, detail, attempts, sent: timestamp.toISOString(), contents: contentsOf(bytes) }),
  });
  await noteParked(bucket);
}
