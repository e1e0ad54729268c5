import { describe, expect, test } from "vitest";
import { inlineShare } from "../../../../../lakehouse/builds/inline.ts";
import { addKeys, knownKeys, LostKeysError } from "../../../../../lakehouse/builds/silver/known-keys.ts";
import type { KeptKeys, KeyObject } from "../../../../../lakehouse/builds/silver/progress.ts";
import { expectEqual } from "../../../../oracle/expect-equal.ts";
import { MemoryBucket } from "../../../../oracle/memory-bucket.ts";

/** Keys that count from `first`, in the last bytes of each. */
function keys(first: number, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * 16);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < count; n++) view.setUint32(n * 16 + 12, first + n);
  return bytes;
}

async function numbersOf(bucket: Pick<MemoryBucket, "get">, objects: readonly KeptKeys[]): Promise<number[]> {
  const numbers: number[] = [];
  for await (const portion of knownKeys(bucket, objects)) {
    expectEqual(portion.length % 16, 0);
    const view = new DataView(portion.buffer, portion.byteOffset);
    for (let at = 12; at < portion.length; at += 16) numbers.push(view.getUint32(at));
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
        type: "bytes",
        start(controller) {
          for (let at = 0; at < bytes.length; at += length) controller.enqueue(bytes.slice(at, at + length));
          controller.close();
        },
      });
      return Object.defineProperty(stored, "body", { value: body });
    },
  };
}

function inObjects(kept: readonly KeptKeys[]): KeyObject[] {
  return kept.flatMap((each) => ("object" in each ? [each] : []));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

describe("known keys", () => {
  test("come in portions of whole keys, however their stream is cut", async () => {
    const bucket = new MemoryBucket();
    const { kept } = await addKeys(bucket, "k/a-", [], keys(0, 150_000));
    expectEqual(await numbersOf(bucket, kept), upTo(150_000));
    for (const length of [7, 4_096, 1_048_577])
      expectEqual(await numbersOf(inChunks(bucket, length), kept), upTo(150_000));
  });

  test("few are held by the progress, and more of them follow in one object", async () => {
    const bucket = new MemoryBucket();
    let kept: readonly KeptKeys[] = [];
    for (let step = 0; step < 4; step++) ({ kept } = await addKeys(bucket, `k/${step}-`, kept, keys(step * 2, 2), 64));
    expect(inObjects(kept).map(({ bytes }) => bytes)).toEqual([96]);
    expect(kept).toHaveLength(2);
    expectEqual(
      (await numbersOf(bucket, kept)).sort((a, b) => a - b),
      upTo(8),
    );
    // A topic of a thousand events a day never has an object.
    const day = await addKeys(bucket, "k/day-", [], keys(0, 1_000));
    expect(inObjects(day.kept)).toEqual([]);
  });

  test("small objects are joined when they are many, and none is lost or there twice", async () => {
    const bucket = new MemoryBucket();
    let kept: readonly KeptKeys[] = [];
    const replaced: string[] = [];
    for (let step = 0; step < 100; step++) {
      const change = await addKeys(bucket, `k/${step}-`, kept, keys(step * 10, 10), step % 3 === 0 ? 320 : 0);
      ({ kept } = change);
      replaced.push(...change.replaced);
      expect(inObjects(kept).length).toBeLessThanOrEqual(16);
    }
    expectEqual(
      (await numbersOf(bucket, kept)).sort((a, b) => a - b),
      upTo(1_000),
    );
    expect(new Set(replaced).size).toBe(replaced.length);
    expect(inObjects(kept).some(({ object }) => replaced.includes(object))).toBe(false);
  });

  test("stand in three tiers: a day has a dozen objects, and each key is written three times", async () => {
    const bucket = new MemoryBucket();
    const written: number[] = [];
    const watched = {
      get: (key: string) => bucket.get(key),
      put: async (key: string, value: unknown, options?: R2PutOptions) => {
        const stored = await bucket.put(key, value, options);
        written.push(stored.size);
        for (const each of gone.splice(0)) bucket.objects.delete(each);
        return stored;
      },
    };
    const gone: string[] = [];
    const [STEPS, ROWS] = [60, 50_000];
    let kept: readonly KeptKeys[] = [];
    for (let step = 0; step < STEPS; step++) {
      const change = await addKeys(watched, `k/${step}-`, kept, keys(step * ROWS, ROWS));
      ({ kept } = change);
      gone.push(...change.replaced);
      expect(kept.length).toBeLessThanOrEqual(13);
    }
    const bytes = STEPS * ROWS * 16;
    expect(inObjects(kept).reduce((sum, each) => sum + each.bytes, 0)).toBe(bytes);
    expect(written.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(3 * bytes);
  });

  test("a put that fails without reading its stream fails the step, and so does a lost object that is joined", async () => {
    const bucket = new MemoryBucket();
    const refusing = { get: bucket.get.bind(bucket), put: () => Promise.reject(new Error("no put")) };
    await expect(addKeys(refusing, "k/a-", [], keys(0, 200_000))).rejects.toThrow("no put");
    const { kept } = await addKeys(bucket, "k/a-", [], keys(0, 300_000));
    bucket.objects.clear();
    await expect(addKeys(bucket, "k/b-", kept, keys(0, 300_000))).rejects.toThrow(LostKeysError);
  });

  test("an object that is gone, has another length or ends early is lost", async () => {
    const bucket = new MemoryBucket();
    const kept = inObjects((await addKeys(bucket, "k/a-", [], keys(0, 10), 0)).kept);
    const longer = kept.map(({ object, bytes }) => ({ object, bytes: bytes + 16 }));
    await expect(numbersOf(bucket, longer)).rejects.toThrow(LostKeysError);
    const cut = {
      async get(key: string) {
        const stored = await bucket.get(key);
        return Object.defineProperty(stored, "body", { value: new Response(new Uint8Array(40)).body });
      },
    };
    await expect(numbersOf(cut, kept)).rejects.toThrow("a stream of 160 bytes ended 120 bytes early");
    bucket.objects.clear();
    await expect(numbersOf(bucket, kept)).rejects.toThrow(LostKeysError);
  });
});

test("the keys that a progress holds stay under what a row of D1 takes, whatever the number of checks", () => {
  for (const spaces of [1, 16, 17, 100, 5_000]) expect(spaces * inlineShare(spaces)).toBeLessThanOrEqual(512 * 1024);
  expect([inlineShare(1), inlineShare(2, 64)]).toEqual([32 * 1024, 64]);
});
