import { describe, expect, test } from "vitest";
import { addKeys, knownKeys, LostKeysError } from "../../../../../lakehouse/builds/silver/known-keys.ts";
import type { KeyObject } from "../../../../../lakehouse/builds/silver/progress.ts";
import { MemoryBucket } from "../../../../oracle/memory-bucket.ts";

/** Keys that count from `first`, in the last bytes of each. */
function keys(first: number, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * 16);
  for (let n = 0; n < count; n++) new DataView(bytes.buffer).setUint32(n * 16 + 12, first + n);
  return bytes;
}

async function numbersOf(bucket: Pick<MemoryBucket, "get">, objects: readonly KeyObject[]): Promise<number[]> {
  const numbers: number[] = [];
  for await (const portion of knownKeys(bucket, objects)) {
    expect(portion.length % 16).toBe(0);
    for (let at = 12; at < portion.length; at += 16)
      numbers.push(new DataView(portion.buffer, portion.byteOffset).getUint32(at));
  }
  return numbers;
}

/** A bucket whose streams come in chunks of any length. */
function inChunks(bucket: MemoryBucket, length: number): Pick<MemoryBucket, "get"> {
  return {
    async get(key) {
      const stored = await bucket.get(key);
      if (stored === null) return stored;
      const bytes = await stored.bytes();
      const body = new ReadableStream({
        start(controller) {
          for (let at = 0; at < bytes.length; at += length) controller.enqueue(bytes.subarray(at, at + length));
          controller.close();
        },
      });
      return Object.defineProperty(stored, "body", { value: body });
    },
  };
}

describe("known keys", () => {
  test("come in portions of whole keys, however their stream is cut", async () => {
    const bucket = new MemoryBucket();
    const { objects } = await addKeys(bucket, "k/a-", [], keys(0, 150_000));
    const all = Array.from({ length: 150_000 }, (_, n) => n);
    expect(await numbersOf(bucket, objects)).toEqual(all);
    for (const length of [7, 4_096, 1_048_577]) expect(await numbersOf(inChunks(bucket, length), objects)).toEqual(all);
  });

  test("small objects are joined when they are many, and none is lost or there twice", async () => {
    const bucket = new MemoryBucket();
    let objects: readonly KeyObject[] = [];
    const replaced: string[] = [];
    for (let step = 0; step < 100; step++) {
      const change = await addKeys(bucket, `k/${step}-`, objects, keys(step * 10, 10));
      objects = change.objects;
      replaced.push(...change.replaced);
      expect(objects.length).toBeLessThanOrEqual(33);
    }
    expect((await numbersOf(bucket, objects)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1_000 }, (_, n) => n),
    );
    expect(new Set(replaced).size).toBe(replaced.length);
    expect(objects.some(({ object }) => replaced.includes(object))).toBe(false);
  });

  test("an object that is whole is not read again to add others: twelve million keys are some twenty objects", async () => {
    const bucket = new MemoryBucket();
    const reads: string[] = [];
    const watched = {
      get: (key: string) => {
        reads.push(key);
        return bucket.get(key);
      },
      put: (key: string, value: unknown, options?: R2PutOptions) => bucket.put(key, value, options),
    };
    let objects: readonly KeyObject[] = [];
    for (let step = 0; step < 36; step++) {
      const change = await addKeys(watched, `k/${step}-`, objects, keys(step * 83_333, 83_333));
      objects = change.objects;
      expect(objects.length).toBeLessThanOrEqual(13 + step / 12);
    }
    expect(new Set(reads).size).toBe(reads.length);
    expect(objects.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(36 * 83_333 * 16);
  });

  test("an object that is gone, or has another length, is lost", async () => {
    const bucket = new MemoryBucket();
    const { objects } = await addKeys(bucket, "k/a-", [], keys(0, 10));
    const longer = objects.map(({ object, bytes }) => ({ object, bytes: bytes + 16 }));
    await expect(numbersOf(bucket, longer)).rejects.toThrow(LostKeysError);
    bucket.objects.clear();
    await expect(numbersOf(bucket, objects)).rejects.toThrow(LostKeysError);
  });
});
