import { beforeEach, describe, expect, test } from "vitest";
import { metadataOf, parkedKey } from "../../../lakehouse/upkeep/parked/parked-message.ts";
import { dueAt, type RedriveDutyDeps, redriveDuty } from "../../../scheduled/redrive.ts";
import { FaultyD1 } from "../../oracle/faulty-d1.ts";
import { framesForShard, makeMessage, uuidAt } from "../../oracle/frames.ts";
import { MemoryBucket } from "../../oracle/memory-bucket.ts";
import { weatherMessage } from "../../oracle/weather.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");

let bucket: MemoryBucket;
let sends: number;
let fails: boolean;
let deps: RedriveDutyDeps;
beforeEach(() => {
  bucket = new MemoryBucket();
  sends = 0;
  fails = false;
  deps = {
    db: new FaultyD1(() => NOW).binding,
    bucket,
    send: async () => {
      if (fails) throw new Error("queue unavailable");
      sends++;
    },
    remembers: () => true,
    hasUnflushed: async () => false,
    frameFault: () => "they do not decode",
    newMessageId: () => uuidAt(NOW, 1),
    permit: () => undefined,
    log: () => {},
  };
});

async function park(count: number, cause: "data" | "system"): Promise<void> {
  const message = makeMessage({ topic: "weather", messageId: uuidAt(NOW, 1), received: 0, events: [] });
  for (let i = 0; i < count; i++) {
    const customMetadata = metadataOf({ cause, detail: "d", attempts: 1, sent: "" });
    await bucket.put(parkedKey(`sluice-local-${cause}`, `m${i}`), message, { customMetadata });
  }
}

describe("the duty of re-driving", () => {
  test("takes a few of the system's faults a tick, and leaves wrong bytes alone", async () => {
    await park(30, "system");
    await park(3, "data");
    const duty = redriveDuty(deps);
    expect(await duty.run(NOW, null)).toMatchObject({ sent: 20, parked_system: 30, parked_data: 3, due: 30 });
    expect(await duty.run(NOW, null)).toMatchObject({ sent: 10, due: 10 });
    expect(await duty.run(NOW, null)).toMatchObject({ sent: 0, due: 0, parked_data: 3 });
    expect(sends).toBe(30);
  });

  test("runs again while some are due, and reaches what stands behind five thousand that wait for somebody", async () => {
    await park(5_010, "data");
    await park(30, "system");
    const duty = redriveDuty(deps);
    const first = await duty.run(NOW, null);
    expect(first).toMatchObject({
      sent: 0,
      parked_data: 5_000,
      more: "now",
      cursor: parkedKey("sluice-local-data", "m99"),
    });
    const second = await duty.run(NOW, first.cursor ?? null);
    expect(second).toMatchObject({ sent: 20, due: 30, more: "now", cursor: first.cursor });
    const third = await duty.run(NOW, second.cursor ?? null);
    expect(third).toMatchObject({ sent: 10 });
    expect(third.more).toBeUndefined();
    expect(sends).toBe(30);
  });

  test("tries slices too: a deploy may have learned to read them", async () => {
    const frame = framesForShard([weatherMessage({ messageId: uuidAt(NOW, 2), received: 0, events: [] })], 0);
    const customMetadata = metadataOf({ cause: "data", detail: "d", attempts: 0, sent: "" });
    await bucket.put("parked/slices/weather/m-0-1", frame, { customMetadata });
    const duty = redriveDuty(deps);
    expect(await duty.run(NOW, null)).toMatchObject({ parked_slices: 1, parked_data: 0, due: 1, postponed: 1 });
    const [object] = [...bucket.objects.values()];
    expect(object?.customMetadata).toMatchObject({ redrives: "1" });
  });

  test("stops at the first failure, which is counted; what failed waits longer each time", async () => {
    await park(5, "system");
    fails = true;
    const duty = redriveDuty(deps);
    expect(await duty.run(NOW, null)).toMatchObject({ sent: 0, due: 5 });
    const counted = [...bucket.objects.values()].filter(({ customMetadata }) => customMetadata["redrives"] === "1");
    expect(counted).toHaveLength(1);
    const minutes = (redrives: number) => dueAt({ touched: "1970-01-01T00:00:00.000Z", redrives }) / 60_000;
    expect([0, 1, 3, 7, 8, 1_000].map(minutes)).toEqual([10, 20, 80, 1_280, 1_440, 1_440]);
  });
});
