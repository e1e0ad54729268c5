/** What a pointer costs, and who wins it. */
import { beforeAll, expect, test } from "vitest";
import type { LakeBucket } from "../../../../lakehouse/tables/lake.ts";
import { publishPointer } from "../../../../lakehouse/tables/pointer.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { weatherMessage } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);

beforeAll(() => loadParquetWasm());

/** `dates` of weather, a flush each, built. */
async function lakeOf(dates: number): Promise<Lake> {
  const lake = new Lake(NOON);
  for (let back = 0; back < dates; back++) {
    const events = [{ eventId: `e-${back}`, at: (NOON - back * 86_400_000 - 60_000) * 1_000 }];
    await lake.land("weather", [weatherMessage({ messageId: uuidAt(NOON, back + 1), received: NOON * 1_000, events })]);
  }
  await lake.settle();
  return lake;
}

/** The bucket with a list of what was asked of it; `before` each. */
function watched(bucket: LakeBucket, calls: string[], before: (call: string) => void = () => {}): LakeBucket {
  const note = (call: string) => {
    calls.push(call);
    before(call);
  };
  return new Proxy(bucket, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        note(`${String(name)} ${String(given[0])}`);
        return Reflect.apply(value, target, given);
      };
    },
  });
}

const POINTERS = [
  "head silver/weather/current.json",
  "put silver/weather/current.json",
  "get silver/weather/views.sql",
  "put silver/weather/views.sql",
];

test("looks at what stands there once, however many dates there are", async () => {
  for (const dates of [1, 4]) {
    const lake = await lakeOf(dates);
    const calls: string[] = [];
    await publishPointer(lake.d1.binding, watched(lake.bucket, calls), tableOf("weather"));
    expect(calls).toEqual(POINTERS);
  }
});

test("a writer that read D1 earlier gives way to one that read it later, and looks again before it does", async () => {
  const lake = await lakeOf(1);
  const later = { customMetadata: { version: "99", format: "2" } };
  const calls: string[] = [];
  const overtaken = watched(lake.bucket, calls, (call) => {
    if (call.startsWith("put") && !calls.slice(0, -1).includes(call))
      void lake.bucket.put(call.slice(4), "later", later);
  });
  await publishPointer(lake.d1.binding, overtaken, tableOf("weather"));
  for (const key of ["silver/weather/current.json", "silver/weather/views.sql"]) {
    expect(new TextDecoder().decode(lake.bucket.bytesOf(key))).toBe("later");
    expect(calls.at(-1)).toBe("head silver/weather/views.sql");
  }
});
