/**
 * Sends a parked message on. One that buffers remember goes back to its queue as it is: whatever landed twice, they drop. An older
 * one is looked up in bronze first; what bronze does not have goes under a fresh message id, which is written down before it is
 * used, so that every other try of the same message uses it too. The object goes once the send is durable.
 */
import * as z from "zod";
import { type DecodedMessage, decodeMessage, PackedBlockError } from "../../../schemas/packed-block.ts";
import { lookUpWhenSettled } from "./look-up.ts";
import { metadataOf, parkedOf } from "./parked-message.ts";
import type { RedriveDeps, Redriven } from "./redrive-deps.ts";
import { redriveSlice } from "./redrive-slice.ts";
import { resendMessage } from "./resend-message.ts";
import { originOfMessage } from "./resend-origin.ts";
import { readResends, resendId } from "./resends.ts";

export type { RedriveDeps, Redriven } from "./redrive-deps.ts";

/** Throws what storage and queue throw; the message is parked then, and another try is safe. */
export async function redrive(key: string, deps: RedriveDeps): Promise<Redriven> {
  const object = await deps.bucket.get(key);
  const parked = object === null ? undefined : parkedOf(object);
  if (object === null || parked === undefined) return { kind: "not_found" };
  if (parked.kind === "slice") return redriveSlice(key, new Uint8Array(await object.arrayBuffer()), deps);
  if (/-builds(-dlq)?$/.test(parked.queue)) {
    await deps.bucket.delete(key);
    return {
      kind: "discarded",
      detail: "a build message only repeats what the catalog says: the planner sends another",
    };
  }
  const bytes = new Uint8Array(await object.arrayBuffer());
  const message = decoded(bytes);
  if (message instanceof PackedBlockError) {
    if (isBuildRequest(bytes)) {
      await deps.bucket.delete(key);
      return {
        kind: "discarded",
        detail: "a build request only repeats what the catalog says: the planner sends another",
      };
    }
    return { kind: "kept", detail: `its bytes are no message that this deploy reads: ${message.message}` };
  }
  const { message_id: messageId, topic, count } = message.header;
  if (!deps.remembers(messageId)) return redriveForgotten(key, message, deps);
  await deps.send(topic, bytes.slice());
  await deps.bucket.delete(key);
  return { kind: "sent", messageId, events: count };
}

/** A message whose first id no buffer remembers. */
async function redriveForgotten(key: string, message: DecodedMessage, deps: RedriveDeps): Promise<Redriven> {
  const { header, body } = message;
  const origin = originOfMessage(header);
  const resends = await readResends(deps.bucket, origin);
  const found = await lookUpWhenSettled(header, [...origin.ids, ...resends.ids], deps);
  if (found.kind !== "known") return found;
  const missing = header.slices.filter((_, number) => found.stored[number] !== true);
  if (missing.length === 0) {
    await deps.bucket.delete(key);
    return { kind: "discarded", detail: "bronze has its events already" };
  }
  const messageId = await resendId(deps, origin, resends);
  if (messageId === undefined) return { kind: "postponed", detail: "somebody else is sending it" };
  const parts = missing.map((slice) => ({
    slice,
    events: body.subarray(slice.offset, slice.offset + slice.length),
  }));
  const again = resendMessage(header, parts, origin, messageId);
  await deps.send(header.topic, again.bytes);
  await deps.bucket.delete(key);
  return { kind: "sent", messageId, events: again.header.count };
}

/** Notes that a re-drive did not succeed, unless somebody else touched the message meanwhile. Throws R2's errors. */
export async function noteFailure(key: string, bucket: RedriveDeps["bucket"]): Promise<void> {
  const object = await bucket.get(key);
  const parked = object === null ? undefined : parkedOf(object);
  if (object === null || parked === undefined) return;
  const bytes = new Uint8Array(await object.arrayBuffer());
  const customMetadata = metadataOf({ ...parked, redrives: parked.redrives + 1 });
  await bucket.put(key, bytes, { onlyIf: { etagMatches: parked.etag }, customMetadata });
}

const buildRequest = z.object({ domain: z.string(), date: z.string() });

function isBuildRequest(bytes: Uint8Array): boolean {
  try {
    return buildRequest.safeParse(JSON.parse(Buffer.from(bytes).toString())).success;
  } catch {
    return false;
  }
}

function decoded(bytes: Uint8Array): DecodedMessage | PackedBlockError {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (error instanceof PackedBlockError) return error;
    throw error;
  }
}
