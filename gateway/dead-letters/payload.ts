/** Keeps the bytes of a refused event: inside its dead letter, or in the lake where they are too many for a message. */
import { payloadKey } from "../../lakehouse/tables/payload-key.ts";
import { dayOf, formatDate } from "../../schemas/time.ts";
import type { EventPayload } from "../bodies/event-batch.ts";
import type { ConcealedPayload } from "../masking/payload.ts";
import type { StoredPayload } from "./dead-letter.ts";

/** With up to 50 errors beside it the dead letter still fits a message of 128 KB. */
const MAX_INLINE_BYTES = 40_000;

// The byte order mark is part of what was received.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function exactText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Stores the payload. Resolves when it is durable or travels with the dead letter; throws the lake's error. */
export async function storePayload(
  { bytes, text: isText }: EventPayload,
  dlqId: string,
  received: number,
  lake: Pick<R2Bucket, "put">,
): Promise<StoredPayload> {
  const text = isText ? exactText(bytes) : undefined;
  if (bytes.byteLength > MAX_INLINE_BYTES) {
    const key = keyOf(dlqId, received);
    await lake.put(key, bytes);
    return { payload: null, payload_encoding: text === undefined ? "binary" : "utf-8", payload_ref: key };
  }
  if (text !== undefined) return { payload: text, payload_encoding: "utf-8", payload_ref: null };
  return { payload: Buffer.from(bytes).toString("base64"), payload_encoding: "base64", payload_ref: null };
}

/** Stores what may be kept of a refused event of a topic with masked fields, in the same places. Throws the lake's error. */
export async function storeConcealed(
  { text, encoding }: ConcealedPayload,
  dlqId: string,
  received: number,
  lake: Pick<R2Bucket, "put">,
): Promise<StoredPayload> {
  const bytes = Buffer.from(text);
  if (bytes.byteLength <= MAX_INLINE_BYTES) return { payload: text, payload_encoding: encoding, payload_ref: null };
  const key = keyOf(dlqId, received);
  await lake.put(key, bytes);
  return { payload: null, payload_encoding: encoding, payload_ref: key };
}

function keyOf(dlqId: string, received: number): string {
  return payloadKey(formatDate(dayOf(received)), dlqId);
}
