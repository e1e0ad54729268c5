/**
 * Sends a parked message on. One that buffers remember goes back to its queue as it is: whatever landed twice, they drop. An older
 * one is looked up in bronze first; what bronze does not have goes under a fresh message id, which is written down before it is
 * used, so that every other try of the same message uses it too. The object goes once the send is durable.
 */
import * as z from "zod";
import { type DecodedMessage, decodeMessage, encodeMessage, PackedBlockError } from "../../schemas/packed-block.ts";
import type { LakeBucket } from "../tables/lake.ts";
import { type LookUp, lookUp } from "./look-up.ts";
import { metadataOf, parkedOf } from "./parked-message.ts";
import { addResend, type Resends, readResends } from "./resends.ts";

export interface RedriveDeps {
  readonly db: D1Database;
  readonly bucket: Pick<LakeBucket, "get" | "put"> & Pick<R2Bucket, "delete">;
  /** Resolves when the queue of the topic has the message durably. */
  send(topic: string, message: Uint8Array): Promise<void>;
  /** Whether buffers will still know a message of this id when it reaches them. */
  remembers(messageId: string): boolean;
  /** Whether a shard holds rows that are in no file yet: then bronze cannot tell. */
  hasUnflushed(topic: string, shard: number, of: number): Promise<boolean>;
  /** A UUIDv7 of now. */
  newMessageId(): string;
  /** The isolate's permit for work with Parquet; undefined when it is taken. */
  permit(): Disposable | undefined;
}

export type Redriven =
  /** Durable in its queue; not parked any more. `messageId`: what it was sent under. */
  | { readonly kind: "sent"; readonly messageId: string; readonly events: number }
  /** Not parked any more, and nothing is lost: why. */
  | { readonly kind: "discarded"; readonly detail: string }
  /** Still parked: no re-drive helps until somebody acts. */
  | { readonly kind: "kept"; readonly detail: string }
  /** Still parked: worth another try later. */
  | { readonly kind: "postponed"; readonly detail: string }
  | { readonly kind: "not_found" };

/** Throws what storage and queue throw; the message is parked then, and another try is safe. */
export async function redrive(key: string, deps: RedriveDeps): Promise<Redriven> {
  const object = await deps.bucket.get(key);
  const parked = object === null ? undefined : parkedOf(object);
  if (object === null || parked === undefined) return { kind: "not_found" };
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
  const { header } = message;
  for (const { shard, of } of header.slices) {
    if (!(await deps.hasUnflushed(header.topic, shard, of))) continue;
    return { kind: "postponed", detail: `shard ${shard} of ${of} has rows that are in no file yet` };
  }
  const resends = await readResends(deps.bucket, header.message_id);
  const found = await lookUpWithPermit(header, [header.message_id, ...resends.ids], deps);
  if (found === undefined)
    return { kind: "postponed", detail: "another operation holds the isolate's permit for Parquet" };
  if (found.kind === "gone") {
    const detail = `${found.files} bronze files of its time are gone: nobody can tell whether they had it`;
    return { kind: "kept", detail };
  }
  const missing = header.slices.flatMap((_, number) => (found.stored[number] === true ? [] : [number]));
  if (missing.length === 0) {
    await deps.bucket.delete(key);
    return { kind: "discarded", detail: "bronze has its events already" };
  }
  const messageId = await resendId(header.message_id, resends, deps);
  if (messageId === undefined) return { kind: "postponed", detail: "somebody else is sending it" };
  const again = withSlices(message, missing, messageId);
  await deps.send(header.topic, again.bytes);
  await deps.bucket.delete(key);
  return { kind: "sent", messageId, events: again.events };
}

/** The id to send under: the last one while buffers remember it, else a new one; undefined if another try is ahead. */
async function resendId(messageId: string, resends: Resends, deps: RedriveDeps): Promise<string | undefined> {
  const last = resends.ids.at(-1);
  if (last !== undefined && deps.remembers(last)) return last;
  const fresh = deps.newMessageId();
  return (await addResend(deps.bucket, messageId, resends, fresh)) ? fresh : undefined;
}

async function lookUpWithPermit(
  header: DecodedMessage["header"],
  ids: readonly string[],
  deps: RedriveDeps,
): Promise<LookUp | undefined> {
  using permit = deps.permit();
  return permit === undefined ? undefined : await lookUp(deps.db, deps.bucket, header, ids);
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

/** Some slices of a message as one of its own, which says what it is a re-drive of. Its events keep their place, time and producer. */
function withSlices(
  { header, body }: DecodedMessage,
  numbers: readonly number[],
  messageId: string,
): { readonly bytes: Uint8Array; readonly events: number } {
  const bodies: Uint8Array[] = [];
  const replays: string[] = [];
  let offset = 0;
  let events = 0;
  let first = 0;
  const slices = header.slices.flatMap((slice, number) => {
    const start = first;
    first += slice.count;
    if (!numbers.includes(number)) return [];
    bodies.push(body.subarray(slice.offset, slice.offset + slice.length));
    replays.push(...(header.replay_of?.slice(start, first) ?? []));
    const moved = { ...slice, offset };
    offset += slice.length;
    events += slice.count;
    return [moved];
  });
  // Numbers are told by their gateway's own messages: under another name they would say nothing.
  const naming = { gateway: `redrive/${header.message_id}`, sequence: 1, unsent: [] };
  const own = { ...header, ...naming, message_id: messageId };
  const origin = header.replay_of === undefined ? {} : { replay_of: replays };
  return { bytes: encodeMessage({ ...own, count: events, slices, ...origin }, bodies), events };
}
