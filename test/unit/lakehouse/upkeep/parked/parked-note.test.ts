import fc from "fast-check";
import { expect, test } from "vitest";
import { noteParked, PARKED_NOTE, unlessNothingParked } from "../../../../../lakehouse/upkeep/parked/parked-note.ts";
import { MemoryBucket } from "../../../../oracle/memory-bucket.ts";

const MESSAGE = "parked/q/";

async function parked(bucket: MemoryBucket): Promise<readonly string[]> {
  return (await bucket.list({ prefix: MESSAGE })).objects.map(({ key }) => key);
}

async function park(bucket: MemoryBucket, id: number): Promise<void> {
  await bucket.put(`${MESSAGE}${id}`, "x");
  await noteParked(bucket);
}

/** Operations of R2 in an order that the property chooses. */
class TurnBucket extends MemoryBucket {
  readonly waiting: (() => void)[] = [];

  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => void this.waiting.push(resolve));
  }

  override async head(key: string) {
    await this.#turn();
    return super.head(key);
  }

  override async put(key: string, value: unknown, options?: R2PutOptions) {
    await this.#turn();
    return super.put(key, value, options);
  }
}

test("whatever comes between what, a message whose parking has ended is told by the next tick", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("tick", "park"), { maxLength: 6 }),
      fc.array(fc.nat(20), { maxLength: 60 }),
      async (jobs, order) => {
        const bucket = new TurnBucket();
        let ended = 0;
        for (const [id, job] of jobs.entries()) {
          if (job === "park") void park(bucket, id).then(() => ended++);
          else void unlessNothingParked(bucket, () => parked(bucket));
        }
        for (const pick of order) {
          const [next] = bucket.waiting.splice(pick % Math.max(1, bucket.waiting.length), 1);
          next?.();
          await new Promise((resolve) => setImmediate(resolve));
        }
        // What has not ended by now never does: its isolate is gone.
        bucket.waiting.length = 0;
        const told = unlessNothingParked(bucket, () => parked(bucket));
        while (
          await Promise.race([
            told.then(() => false),
            new Promise<true>((resolve) => setImmediate(() => resolve(true))),
          ])
        ) {
          bucket.waiting.pop()?.();
        }
        expect((await told).length).toBeGreaterThanOrEqual(ended > 0 ? 1 : 0);
      },
    ),
    { numRuns: 300 },
  );
});

test("a write that R2 refuses since another one has just said it is no failure; else it is", async () => {
  const bucket = new MemoryBucket();
  for (let tick = 0; tick < 2; tick++) await unlessNothingParked(bucket, () => parked(bucket));
  expect(bucket.objects.has(PARKED_NOTE)).toBe(true);
  bucket.failures.push(undefined, new Error("429"));
  await expect(noteParked(bucket)).rejects.toThrow("429");
  const slow = {
    head: (key: string) => bucket.head(key),
    async put(): Promise<never> {
      await bucket.put(PARKED_NOTE, "", { customMetadata: { says: "something" } });
      throw new Error("429");
    },
  };
  await noteParked(slow);
  await park(bucket, 1);
  expect(await unlessNothingParked(bucket, () => parked(bucket))).toEqual([`${MESSAGE}1`]);
});
