import { beforeAll, describe, expect, test } from "vitest";
import { RARE_DATE_ROWS } from "../../../../lakehouse/bronze/files.ts";
import { BronzeConflictError, writeBronze } from "../../../../lakehouse/bronze/write.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { framesOf, makeMessage } from "../../../oracle/frames.ts";
import { MemoryBucket } from "../../../oracle/memory-bucket.ts";
import { readWithDuckDb } from "../../../oracle/read-parquet.ts";
import { reading, weather } from "../../../oracle/weather.ts";

const flush = { topic: "weather", shard: 0, shardOf: 1, incarnation: "abcd1234", seq: 7 };
const NOW = Date.UTC(2026, 10, 21, 12) * 1_000;
const DAY = 86_400_000_000;

function frames(times: readonly number[], id = "019307a0-0000-7000-8000-000000000001") {
  const events = times.map((micros, i) => ({
    event: reading(`e${i}`, micros),
    extra: i === 0 ? '{"note":"first"}' : null,
    lexical: null,
  }));
  return framesOf(makeMessage({ topic: "weather", messageId: id, received: NOW, events }));
}

beforeAll(() => loadParquetWasm());

describe("writeBronze", () => {
  test("one date: one file in the hive path, typed, with metadata, as DuckDB reads it", async () => {
    const bucket = new MemoryBucket();
    const [file, ...rest] = await writeBronze(bucket, weather, flush, frames([NOW, NOW + 1]));
    expect(rest).toEqual([]);
    expect(file).toMatchObject({
      file: "bronze/weather/event_date=2026-11-21/000-abcd1234-00000007.parquet",
      rows: 2,
      minReceived: "2026-11-21T12:00:00.000Z",
      dates: [{ date: "2026-11-21", firstRow: 0, rows: 2 }],
    });
    const rows = await readWithDuckDb(bucket.bytesOf(file?.file ?? ""));
    expect(rows[0]).toMatchObject({
      event_id: "e0",
      city: "Malmö",
      temperature_c: -3.5,
      is_forecast: false,
      event_date: "2026-11-21",
      _event: 0,
      _producer: "test",
      _extra: '{"note":"first"}',
      _lexical: null,
      _replay_of: null,
    });
    expect(rows[1]).toMatchObject({ event_id: "e1", _event: 1, event_timestamp: "2026-11-21 12:00:00.000001+00" });
  });

  test("many rare dates share one file with a row range each; a common date has its own", async () => {
    const bucket = new MemoryBucket();
    const times = [
      ...Array.from({ length: RARE_DATE_ROWS }, () => NOW),
      ...Array.from({ length: 400 }, (_, i) => NOW - (i % 6) * DAY - DAY),
    ];
    const files = await writeBronze(bucket, weather, flush, frames(times));
    expect(files.map((file) => file.file)).toEqual([
      "bronze/weather/event_date=2026-11-21/000-abcd1234-00000007.parquet",
      "bronze_mixed/weather/000-abcd1234-00000007.parquet",
    ]);
    const mixed = files[1];
    expect(mixed?.dates).toHaveLength(6);
    expect(mixed?.dates.reduce((sum, date) => sum + date.rows, 0)).toBe(400);
    const rows = await readWithDuckDb(bucket.bytesOf(mixed?.file ?? ""));
    for (const date of mixed?.dates ?? []) {
      const slice = rows.slice(date.firstRow, date.firstRow + date.rows);
      expect(new Set(slice.map((row) => row["event_date"]))).toEqual(new Set([date.date]));
    }
  });

  test("written twice it is the same object; other input under the same name is a conflict and overwrites nothing", async () => {
    const bucket = new MemoryBucket();
    const first = await writeBronze(bucket, weather, flush, frames([NOW]));
    const again = await writeBronze(bucket, weather, flush, frames([NOW]));
    expect(again).toEqual(first);
    const before = bucket.bytesOf(first[0]?.file ?? "");
    const other = frames([NOW], "019307a0-0000-7000-8000-000000000002");
    await expect(writeBronze(bucket, weather, flush, other)).rejects.toThrow(BronzeConflictError);
    expect(bucket.bytesOf(first[0]?.file ?? "")).toBe(before);
  });

  test("a slice that holds other than it says is refused", async () => {
    const [frame] = frames([NOW]);
    if (frame === undefined) throw new Error("no frame");
    const lying = { ...frame, slice: { ...frame.slice, count: 2 } };
    await expect(writeBronze(new MemoryBucket(), weather, flush, [lying])).rejects.toThrow("says 2 events, holds 1");
  });
});
