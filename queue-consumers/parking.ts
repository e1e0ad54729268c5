/** Messages that cannot go on now, kept byte for byte in R2 until somebody re-drives them. Never a drop. */
import { parkedMetadata } from "./parked-message.ts";

export type ParkingBucket = Pick<R2Bucket, "put">;

/** Why a message was parked; `data`: its bytes are wrong; `system`: our fault, the bytes are fine. */
export interface ParkingReason {
  readonly cause: "data" | "system";
  readonly detail: string;
}

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
export async function park(
  bucket: ParkingBucket,
  queue: string,
  message: Message,
  reason: ParkingReason,
): Promise<void> {
  const bytes = bodyBytes(message.body);
  await bucket.put(`parked/${queue}/${message.id}`, bytes, {
    customMetadata: {
      ...parkedMetadata(bytes),
      cause: reason.cause,
      detail: reason.detail.slice(0, 500),
      attempts: String(message.attempts),
      sent: message.timestamp.toISOString(),
    },
  });
}
