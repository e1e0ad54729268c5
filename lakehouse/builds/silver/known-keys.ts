/** The keys that a partition has: objects of identities in R2, some 16 MB each, that stream past the keys of a step's rows. */
import { release } from "../../engine/columns/release.ts";
import { IDENTITY_BYTES, type Identities } from "../../engine/keys/identity.ts";
import type { LakeBucket } from "../../tables/lake.ts";
import type { KeyObject } from "./progress.ts";

/**
 * Bytes of an object at which it is whole: a million keys. Each object is a request of every build, so that larger ones keep a day's last
 * hours as cheap as its first; a step holds one of them while it joins smaller ones to it.
 */
const WHOLE_BYTES = 16 * 1024 * 1024;
/** Bytes of an object that are held at a time. */
const PORTION_BYTES = 1024 * 1024;
/** So many smaller ones are joined: each costs a request of every build. */
const JOINED_OBJECTS = 32;

/** Known keys are gone. They follow from bronze: the partition is built from its beginning. */
export class LostKeysError extends Error {
  override readonly name = "LostKeysError";
}

/** Portion by portion, each in memory of its own. Throws `LostKeysError` when an object is gone, or is not as long as it was. */
export async function* knownKeys(
  bucket: Pick<LakeBucket, "get">,
  objects: readonly KeyObject[],
): AsyncGenerator<Identities, void, undefined> {
  for (const { object, bytes } of objects) {
    const stored = await bucket.get(object);
    if (stored === null) throw new LostKeysError(`${object} is not in the bucket`);
    if (stored.size !== bytes) throw new LostKeysError(`${object} has ${stored.size} bytes and had ${bytes}`);
    yield* portionsOf(stored.body, bytes);
  }
}

/** What comes of a stream of `bytes` bytes, in portions that end where an identity does. */
async function* portionsOf(
  stream: ReadableStream<Uint8Array>,
  bytes: number,
): AsyncGenerator<Identities, void, undefined> {
  let portion = new Uint8Array(Math.min(PORTION_BYTES, bytes));
  let [filled, left] = [0, bytes];
  for await (const chunk of stream) {
    if (chunk.byteLength > left - filled) throw new Error(`a stream of ${bytes} bytes goes on behind them`);
    for (let from = 0; from < chunk.byteLength; ) {
      const part = chunk.subarray(from, from + portion.length - filled);
      portion.set(part, filled);
      from += part.byteLength;
      filled += part.byteLength;
      if (filled < portion.length) continue;
      yield portion;
      left -= filled;
      portion = new Uint8Array(Math.min(PORTION_BYTES, left));
      filled = 0;
    }
  }
  if (left > 0) throw new Error(`a stream of ${bytes} bytes ended ${left - filled} bytes early`);
}

export interface KeyChange {
  readonly objects: readonly KeyObject[];
  /** Objects that are joined into others. */
  readonly replaced: readonly string[];
}

/** Adds a step's keys, whose array is freed, to those of a space, in objects whose names begin with `prefix`. Throws what reading and R2 throw. */
export async function addKeys(
  bucket: Pick<LakeBucket, "get" | "put">,
  prefix: string,
  known: readonly KeyObject[],
  added: Identities,
): Promise<KeyChange> {
  if (added.length === 0) return { objects: known, replaced: [] };
  const whole = known.filter(({ bytes }) => bytes >= WHOLE_BYTES);
  const small = known.filter(({ bytes }) => bytes < WHOLE_BYTES);
  const waiting = small.reduce((sum, { bytes }) => sum + bytes, added.length);
  const join = small.length >= JOINED_OBJECTS || (small.length > 0 && waiting >= WHOLE_BYTES);
  let joined = added;
  if (join) {
    joined = new Uint8Array(waiting);
    joined.set(added);
    let at = added.length;
    release(added);
    for await (const identities of knownKeys(bucket, small)) {
      joined.set(identities, at);
      at += identities.length;
      release(identities);
    }
  }
  const objects = join ? [...whole] : [...known];
  for (let start = 0, n = 0; start < joined.length; start += PUT_BYTES, n++) {
    const identities = joined.subarray(start, start + PUT_BYTES);
    const object = `${prefix}${n}.keys`;
    await bucket.put(object, identities, { httpMetadata: { contentType: "application/octet-stream" } });
    objects.push({ object, bytes: identities.length });
  }
  release(joined);
  return { objects, replaced: join ? small.map(({ object }) => object) : [] };
}

/** Bytes of an object at the most: joined ones and a step's own are a few megabytes more than a whole one. */
const PUT_BYTES = 2 * WHOLE_BYTES - ((2 * WHOLE_BYTES) % IDENTITY_BYTES);
