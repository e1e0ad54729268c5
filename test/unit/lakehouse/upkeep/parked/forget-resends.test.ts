/** Lists of the ids under which something was sent again go once no copy can come back, and not before. */
import { beforeEach, describe, expect, test } from "vitest";
import { forgetResends } from "../../../../../lakehouse/upkeep/parked/forget-resends.ts";
import { metadataOf, parkedKey } from "../../../../../lakehouse/upkeep/parked/parked-message.ts";
import { uuidAt } from "../../../../oracle/frames.ts";
import { MemoryBucket } from "../../../../oracle/memory-bucket.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-11-21T12:00:00Z");
const REMEMBERED = 9 * DAY;
const [FIRST, FRESH, OTHER] = [uuidAt(NOW - 40 * DAY, 1), uuidAt(NOW - 20 * DAY, 2), uuidAt(NOW, 3)];

let now: number;
let bucket: MemoryBucket;
beforeEach(async () => {
  now = NOW - 20 * DAY;
  bucket = new MemoryBucket(() => now);
  await bucket.put(`parked_resends/${FIRST}`, FRESH);
  now = NOW;
});

const forget = () => forgetResends({ bucket, rememberedMs: REMEMBERED }, now);
const resends = () => [...bucket.objects.keys()].filter((key) => key.startsWith("parked_resends/"));

async function park(message: string | null, key = parkedKey("sluice-orders", "q1")): Promise<void> {
  const contents = message === null ? null : { topic: "orders", message, events: 1, received: "" };
  const customMetadata = metadataOf({ cause: "system", detail: "d", attempts: 1, sent: "", contents });
  await bucket.put(key, "bytes", { customMetadata });
}

describe("a list of ids", () => {
  test("goes after twice the time that buffers remember an id, and not before", async () => {
    await bucket.put(`parked_resends/${OTHER}-0-2`, OTHER);
    now = NOW - 2 * DAY;
    expect(await forget()).toEqual({ forgotten: 0 });
    now = NOW;
    expect(await forget()).toEqual({ forgotten: 1 });
    expect(resends()).toEqual([`parked_resends/${OTHER}-0-2`]);
    now = NOW + 19 * DAY;
    expect(await forget()).toEqual({ forgotten: 1 });
    expect(await forget()).toEqual({ forgotten: 0 });
  });

  test.each([
    ["a copy of the message", FIRST],
    ["what was sent under one of its ids", FRESH],
  ])("stays while %s is parked", async (_, message) => {
    await park(message);
    expect(await forget()).toEqual({ forgotten: 0 });
    await bucket.delete(parkedKey("sluice-orders", "q1"));
    expect(await forget()).toEqual({ forgotten: 1 });
  });

  test("of a slice stays while the slice is parked; what else is parked does not keep it", async () => {
    now = NOW - 20 * DAY;
    await bucket.put(`parked_resends/${OTHER}-1-2`, FRESH);
    now = NOW;
    await park(OTHER, `parked/slices/orders/${OTHER}-1-2`);
    expect(await forget()).toEqual({ forgotten: 1 });
    expect(resends()).toEqual([`parked_resends/${OTHER}-1-2`]);
  });

  test("stays while something is parked of which nobody can say what it is", async () => {
    await park(null);
    expect(await forget()).toEqual({ forgotten: 0 });
  });

  test("stays when R2 fails, and goes the next time", async () => {
    for (const call of [0, 1, 2, 3]) {
      bucket.failures.push(...Array.from({ length: call }, () => undefined), new Error("R2 is down"));
      await expect(forget()).rejects.toThrow("R2 is down");
      expect(resends()).toHaveLength(1);
    }
    expect(await forget()).toEqual({ forgotten: 1 });
  });
});
