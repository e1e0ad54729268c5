/** Messages that cannot go on now, kept byte for byte in R2 until somebody re-drives them. Never a drop. */

export type ParkingBucket = Pick<R2Bucket, "put">;

/** Why a message was parked; `data`: its bytes are wrong; `system`: our fault, the bytes are fine. */
export interface ParkingReason {
  readonly cause: "data" | "system";
  readonly detail: string;
}

/** The bytes of a queue message's body, whatever the runtime hands over. */
export function bodyBytes(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  return new TextEncoder().encode(typeof body === "string" ? body : (JSON.stringify(body) ?? ""));
}

/** Writes `parked/<queue>/<queue message id>`; idempotent, since the id is the queue's own. */
export async function park(
  bucket: ParkingBucket,
  queue: string,
  message: Message,
  reason: ParkingReason,
): Promise<void> {
  await bucket.put(`parked/${queue}/${message.id}`, bodyBytes(message.body), {
    customMetadata: {
      cause: reason.cause,
      detail: reason.detail.slice(0, 500),
      attempts: String(message.attempts),
      sent: message.timestamp.toISOString(),
    },
  });
}
