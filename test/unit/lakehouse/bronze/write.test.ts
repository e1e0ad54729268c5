import { beforeAll, describe, expect, test } from "vitest";
import { RARE_DATE_ROWS } from "../../../../lakehouse/bronze/files.ts";
import { BronzeConflictError } from "../../../../lakehouse/bronze/put-once.ts";
import { writeBronze } from "../../../../lakehouse/bronze/write.ts";
import { decodeMessage, encodeFrame, encodeMessage } from "../../../../schemas/packed-block.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { blocksOf, framesOf, makeMessage } from "../../../oracle/frames.ts";
import { MemoryBucket } from "../../../oracle/memory-bucket.ts";
import { permit } from "../../../oracle/permit.ts";
import { readWithDuckDb } from "../../../oracle/read-parquet.ts";
import { reading, weather } from "../../../oracle/weather.ts";

const flush = { topic: "weather", shard: 0, shardOf: 1, incarnation: "abcd1234", seq: 7 };
const NOW = Date.UTC(2026, 10, 21, 12) * 1_000;
const DAY = 86_400_000_000;

function message(times: readonly number[], id = "019307a0-0000-7000-8000-000000000001") {
  const events = times.map((micros, i) => ({
    event: reading(`e${i}`, micros),
    extra: i === 0 ? '{"note":"first"}' : null,
    lexical: null,
  }));
  return makeMessage({ topic: "weather", messageId: id, received: NOW, events });
}

function blocks(times: readonly number[], id?: string) {
  return blocksOf(framesOf(message(times, id)));
}

beforeAll(() => loadParquetWasm());

describe("writeBronze", () => {
  test("one date: one file in the hive path, typed, with metadata, as DuckDB reads it", async () => {
    const bucket = new MemoryBucket();
    const [file, ...rest] = await writeBronze({ bucket, permit }, weather, flush, blocks([NOW, NOW + 1]));
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

  test("many rare old dates share one file with a row range each; the two newest have their own", async () => {
    const bucket = new MemoryBucket();
    const times = [
      ...Array.from({ length: RARE_DATE_ROWS }, () => NOW),
      ...Array.from({ length: 400 }, (_, i) => NOW - (i % 6) * DAY - DAY),
    ];
    const files = await writeBronze({ bucket, permit }, weather, flush, blocks(times));
    expect(files.map((file) => file.file)).toEqual([
      "bronze/weather/event_date=2026-11-20/000-abcd1234-00000007.parquet",
      "bronze/weather/event_date=2026-11-21/000-abcd1234-00000007.parquet",
      "bronze_mixed/weather/000-abcd1234-00000007.parquet",
    ]);
    const mixed = files[2];
    expect(mixed?.dates).toHaveLength(5);
    expect(files.reduce((sum, file) => sum + file.rows, 0)).toBe(RARE_DATE_ROWS + 400);
    const rows = await readWithDuckDb(bucket.bytesOf(mixed?.file ?? ""));
    for (const date of mixed?.dates ?? []) {
      const slice = rows.slice(date.firstRow, date.firstRow + date.rows);
      expect(new Set(slice.map((row) => row["event_date"]))).toEqual(new Set([date.date]));
    }
  });

  test("written twice it is the same object; other input under the same name is a conflict and overwrites nothing", async () => {
    const bucket = new MemoryBucket();
    const first = await writeBronze({ bucket, permit }, weather, flush, blocks([NOW]));
    const again = await writeBronze({ bucket, permit }, weather, flush, blocks([NOW]));
    expect(again).toEqual(first);
    const before = bucket.bytesOf(first[0]?.file ?? "");
    const other = blocks([NOW], "019307a0-0000-7000-8000-000000000002");
    await expect(writeBronze({ bucket, permit }, weather, flush, other)).rejects.toThrow(BronzeConflictError);
    expect(bucket.bytesOf(first[0]?.file ?? "")).toBe(before);
  });

  test("a slice that holds other than it says is refused", async () => {
    const { header, body } = decodeMessage(message([NOW]));
    const slices = header.slices.map((slice) => ({ ...slice, count: 2 }));
    const lying = encodeFrame(decodeMessage(encodeMessage({ ...header, count: 2, slices }, [body])), 0);
    const source = { count: 1, read: () => lying };
    await expect(writeBronze({ bucket: new MemoryBucket(), permit }, weather, flush, source)).rejects.toThrow(
      "says 2 events, holds 1",
    );
  });

  test("dates mixed in every block: each date's rows together, in the order they were appended", async () => {
    const bucket = new MemoryBucket();
    const frames = Array.from({ length: 30 }, (_, n) =>
      framesOf(
        message(
          Array.from({ length: 40 }, (_, i) => NOW - ((i * 7 + n) % 13) * DAY),
          `019307a0-0000-7000-8000-${String(n).padStart(12, "0")}`,
        ),
      ),
    ).flat();
    const files = await writeBronze({ bucket, permit }, weather, flush, blocksOf(frames));
    expect(files.map(({ dates }) => dates.length)).toEqual([1, 1, 11]);
    const mixed = files[2];
    const rows = await readWithDuckDb(bucket.bytesOf(mixed?.file ?? ""));
    expect(files.reduce((sum, file) => sum + file.rows, 0)).toBe(1_200);
    const place = (row: Record<string, unknown>) =>
      `${row["event_date"]} ${row["_message"]} ${String(row["_event"]).padStart(3)}`;
    expect(rows.map(place)).toEqual(rows.map(place).sort());
    for (const { date, firstRow, rows: count } of mixed?.dates ?? [])
      expect(new Set(rows.slice(firstRow, firstRow + count).map((row) => row["event_date"]))).toEqual(new Set([date]));
  });

  test("each event of a replay has its own dead letter, whatever the dates and slices of its neighbours", async () => {
    const bucket = new MemoryBucket();
    const { header, body } = decodeMessage(message([0, 1, 1, 0, 2, 0].map((days) => NOW - days * DAY)));
    const [whole] = header.slices;
    if (whole === undefined) throw new Error("no slice");
    // The same events twice, as the slices of two shards, of which this flush has the second.
    const slices = [
      { ...whole, shard: 0, of: 2 },
      { ...whole, shard: 1, of: 2, offset: whole.length },
    ];
    const replay_of = Array.from({ length: 12 }, (_, i) => `d${i}`);
    const replay = encodeMessage({ ...header, count: 12, slices, replay_of }, [body, body]);
    const sent = message([NOW, NOW - DAY], "019307a0-0000-7000-8000-000000000002");
    const frames = [...framesOf(sent), ...framesOf(replay).slice(1), ...framesOf(sent)];
    const files = await writeBronze({ bucket, permit }, weather, flush, blocksOf(frames));
    const rows: Record<string, unknown>[] = [];
    for (const { file } of files) rows.push(...(await readWithDuckDb(bucket.bytesOf(file))));
    const origins = rows.map((row) => [row["event_id"], row["_message"] === header.message_id, row["_replay_of"]]);
    expect(origins.filter(([, isReplay]) => isReplay).map(([id, , origin]) => [id, origin])).toEqual(
      ["e4", "e1", "e2", "e0", "e3", "e5"].map((id) => [id, `d${6 + Number(id.slice(1))}`]),
    );
    expect(origins.filter(([, isReplay]) => !isReplay).map(([, , origin]) => origin)).toEqual([null, null, null, null]);
  });
});
