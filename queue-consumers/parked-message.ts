/** What the ledger must know of a parked message without opening it: stands beside the bytes, as the object's metadata. */
import { decodeMessage, PackedBlockError } from "../schemas/packed-block.ts";

/** Empty for bytes that are no message of ours: nobody can say how many events they are. */
export function parkedMetadata(bytes: Uint8Array): Record<string, string> {
  try {
    const { header } = decodeMessage(bytes);
    return {
      topic: header.topic,
      message: header.message_id,
      events: String(header.count),
      received: new Date(Math.floor(header.received / 1_000)).toISOString(),
    };
  } catch (error) {
    if (error instanceof PackedBlockError) return {};
    throw error;
  }
}
