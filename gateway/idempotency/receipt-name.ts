/** Where the receipt of an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07) is kept. */
import { sha256Hex } from "../sha256.ts";

/** The same Idempotency-Key of another API key, or for another topic, has another receipt. */
export function receiptName(topic: string, keyId: string, idempotencyKey: string): string {
  return `${topic}/${keyId}/${sha256Hex(idempotencyKey)}`;
}
