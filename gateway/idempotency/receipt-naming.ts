/** How the messages of a request with an Idempotency-Key are named: the same in every try. */
import { createHash } from "node:crypto";
import type { RequestStamp } from "../../durable-objects/stubs.ts";
import type { MessageNaming } from "../ingest.ts";

/**
 * Message ids derive from the receipt's name and the message's place (PROTOCOLS 1). The request is its own gateway instance
 * and numbers its messages itself, so that numbers of the isolate do not run ahead for messages that another try has sent.
 */
export function receiptNaming(receiptName: string, { requestId, received }: RequestStamp): MessageNaming {
  const sequences = new Map<string, number>();
  return {
    gateway: requestId,
    next(topic) {
      const sequence = (sequences.get(topic) ?? 0) + 1;
      sequences.set(topic, sequence);
      return { message_id: messageId(`${receiptName}/${requestId}/${topic}/${sequence}`, received), sequence };
    },
  };
}

/** A UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds from `received` (microseconds), the rest from SHA-256 of the name. */
function messageId(name: string, received: number): string {
  const millis = Math.floor(received / 1_000);
  const bytes = createHash("sha256").update(name).digest().subarray(0, 16);
  bytes.writeUIntBE(millis, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
