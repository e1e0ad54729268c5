/**
 * The keys that a partition has: objects of identities in R2, which stream past the keys of a step's rows. Each object is a request of
 * every build, and each join writes its keys once more: so they stand in three tiers. What steps add is joined once it is a few megabytes,
 * and eight of those are joined into one. A day of twelve million keys has a dozen objects, and each key is written three times.
 */
import { release } from "../../engine/columns/release.ts";
import type { Identities } from "../../engine/keys/identity.ts";
import type { LakeBucket } from "../../tables/lake.ts";
import { fromInline, INLINE_BYTES, objectNames, toInline } from "../inline.ts";
import type { KeptKeys, KeyObject } from "./progress.ts";

/** Bytes of an object that belongs to the second tier: 400,000 keys, an hour of a topic with 139 events a second. */
const MIDDLE_BYTES = 6_000_000;
/** So many of the second tier are one of the third. */
const JOINED_MIDDLE = 8;
const LARGE_BYTES = MIDDLE_BYTES * JOINED_MIDDLE;
/** Bytes of an object that are held at a time. */
const PORTION_BYTES = 1024 * 1024;
/** So many small ones are joined, however small they are. */
const JOINED_SMALL = 16;

/** Known keys are gone. They follow from bronze: the partition is built from its beginning. */
export class LostKeysError extends Error {
  override readonly name = "LostKeysError";
}

/** Portion by portion, each in memory of its own. Throws `LostKeysError` when an object is gone, or is not as long as it was. */
export async function* knownKeys(
  bucket: Pick<LakeBucket, "get">,
  kept: readonly KeptKeys[],
): AsyncGenerator<Identities, void, undefined> {
  for (const each of kept) {
    if ("inline" in each) {
      yield fromInline(each);
      continue;
    }
    const { object, bytes } = each;
    const stored = await bucket.get(object);
    if (stored === null) throw new LostKeysError(`${object} is not in the bucket`);
    if (stored.size !== bytes) throw new LostKeysError(`${object} has ${stored.size} bytes and had ${bytes}`);
    yield* portionsOf(stored.body, bytes);
  }
}

/**
 * A stream of `bytes` bytes in portions that end where an identity does. Each is read into memory of ours: iterating over an object's
 * stream gives pieces of four kilobytes, which takes ten times as long.
 */
async function* portionsOf(
  stream: ReadableStream<Uint8Array>,
  bytes: number,
): AsyncGenerator<Identities, void, undefined> {
  const reader = stream.getReader({ mode: "byob" });
  try {
    for (let left = bytes; left > 0; ) {
      const portion = await filled(reader, Math.min(PORTION_BYTES, left));
      left -= portion.length;
      if (portion.length < PORTION_BYTES && left > 0)
        throw new Error(`a stream of ${bytes} bytes ended ${left} bytes early`);
      yield portion;
    }
  } finally {
    await reader.cancel();
  }
}

/** The stream's next `length` bytes; fewer where it ends. */
async function filled(reader: ReadableStreamBYOBReader, length: number): Promise<Uint8Array> {
  let portion = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { value, done } = await reader.read(portion.subarray(at));
    // The buffer moves with each read.
    if (value !== undefined) portion = new Uint8Array(value.buffer, 0, length);
    if (done) return portion.subarray(0, at);
    at += value.byteLength;
  }
  return portion;
}

export interface KeyChange {
  readonly kept: readonly KeptKeys[];
  /** Objects that are joined into others. */
  readonly replaced: readonly string[];
}

/**
 * Adds a step's keys, whose array is freed, to those of a space: to those that the progress holds, while these have no more than `inline`
 * bytes; else in objects whose names begin with `prefix`. Throws what reading and R2 throw.
 */
export async function addKeys(
  bucket: Pick<LakeBucket, "get" | "put">,
  prefix: string,
  known: readonly KeptKeys[],
  added: Identities,
  inline = INLINE_BYTES,
): Promise<KeyChange> {
  if (added.length === 0) return { kept: known, replaced: [] };
  const objects = known.flatMap((each) => ("object" in each ? [each] : []));
  const held = known.flatMap((each) => ("inline" in each ? [fromInline(each)] : []));
  const own = held.reduce((sum, { length }) => sum + length, added.length);
  if (own <= inline) {
    const kept = [...objects, toInline(Buffer.concat([...held, added]))];
    release(added);
    return { kept, replaced: [] };
  }
  const joined = joinedWith(objects, own);
  const stays = objects.filter((each) => !joined.includes(each));
  const bytes = joined.reduce((sum, each) => sum + each.bytes, own);
  const object = `${prefix}0.keys`;
  await putKeys(bucket, object, bytes, async function* () {
    yield added;
    yield* held;
    yield* knownKeys(bucket, joined);
  });
  return { kept: [...stays, { object, bytes }], replaced: objectNames(joined) };
}

/** The objects that a new one of `own` bytes is joined with. */
function joinedWith(objects: readonly KeyObject[], own: number): readonly KeyObject[] {
  const small = objects.filter(({ bytes }) => bytes < MIDDLE_BYTES);
  const middle = objects.filter(({ bytes }) => bytes >= MIDDLE_BYTES && bytes < LARGE_BYTES);
  const waiting = small.reduce((sum, { bytes }) => sum + bytes, own);
  if (waiting < MIDDLE_BYTES) return small.length < JOINED_SMALL ? [] : small;
  return middle.length + 1 < JOINED_MIDDLE ? small : [...small, ...middle];
}

/** Puts `bytes` bytes of identities, whose arrays are freed: none of an object's length is held. Throws what R2 and `identities` throw. */
async function putKeys(
  bucket: Pick<LakeBucket, "put">,
  object: string,
  bytes: number,
  identities: () => AsyncIterable<Identities>,
): Promise<void> {
  const { readable, writable } = new FixedLengthStream(bytes);
  const writer = writable.getWriter();
  const write = async (): Promise<void> => {
    for await (const portion of identities()) {
      await writer.write(portion);
      release(portion);
    }
    await writer.close();
  };
  // The first failure ends the other side too: a put that failed reads no more, and a write to it would wait for good.
  const failed: unknown[] = [];
  const fail = async (error: unknown): Promise<void> => {
    failed.push(error);
    await writer.abort(error).catch(() => {});
  };
  const written = write().catch(fail);
  const put = bucket.put(object, readable, { httpMetadata: { contentType: "application/octet-stream" } }).catch(fail);
  await Promise.all([written, put]);
  if (failed.length > 0) throw failed[0];
}
