/** The keys that a partition has: objects of identities in R2, some 8 MB each, that stream past the keys of a step's rows. */

import { release } from "../../engine/columns/release.ts";
import { IDENTITY_BYTES, type Identities } from "../../engine/keys/identity.ts";
import type { LakeBucket } from "../../tables/lake.ts";
import type { KeyObject } from "./progress.ts";

/** Bytes of an object at which it is whole: half a million keys. */
const WHOLE_BYTES = 8 * 1024 * 1024;
/** So many smaller ones are joined: each costs a request of every build. */
const JOINED_OBJECTS = 32;

/** Known keys are gone. They follow from bronze: the partition is built from its beginning. */
export class LostKeysError extends Error {
  override readonly name = "LostKeysError";
}

/** Object by object. Throws `LostKeysError` when one is gone, or is not as long as it was. */
export async function* knownKeys(
  bucket: Pick<LakeBucket, "get">,
  objects: readonly KeyObject[],
): AsyncGenerator<Identities, void, undefined> {
  for (const { object, bytes } of objects) {
    const body = await bucket.get(object);
    if (body === null) throw new LostKeysError(`${object} is not in the bucket`);
    const identities = new Uint8Array(await body.arrayBuffer());
    if (identities.length !== bytes)
      throw new LostKeysError(`${object} has ${identities.length} bytes and had ${bytes}`);
    yield identities;
  }
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
  const portions = [added];
  if (join) for await (const identities of knownKeys(bucket, small)) portions.push(identities);
  const joined = Buffer.concat(portions);
  for (const portion of portions) release(portion);
  const objects = join ? [...whole] : [...known];
  for (let start = 0, n = 0; start < joined.length; start += PUT_BYTES, n++) {
    const identities = joined.subarray(start, start + PUT_BYTES);
    const object = `${prefix}${n}.keys`;
    await bucket.put(object, identities, { httpMetadata: { contentType: "application/octet-stream" } });
    objects.push({ object, bytes: identities.length });
  }
  return { objects, replaced: join ? small.map(({ object }) => object) : [] };
}

/** Bytes of an object at the most: joined ones and a step's own are a few megabytes more than a whole one. */
const PUT_BYTES = 2 * WHOLE_BYTES - ((2 * WHOLE_BYTES) % IDENTITY_BYTES);
