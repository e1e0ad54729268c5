/** Bronze that is not what the catalog says of it: its date says so, other dates go on, what is published stays, and mended it is built. */
import { beforeAll, describe, expect, test } from "vitest";
import { createColumnBuilder } from "../../../../lakehouse/engine/columns/builder.ts";
import type { Batch, Field } from "../../../../lakehouse/engine/columns/column.ts";
import { pushValue } from "../../../../lakehouse/engine/columns/push-value.ts";
import { bytesSource, openParquet } from "../../../../lakehouse/engine/parquet/reader.ts";
import { writeParquet } from "../../../../lakehouse/engine/parquet/writer.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { Lake } from "../../../oracle/lake.ts";
import { permit } from "../../../oracle/permit.ts";
import { weatherMessage } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const DAY_MS = 86_400_000;

beforeAll(() => loadParquetWasm());

let messages = 0;

/** Lands readings of today and of yesterday in a flush, which has a file for each. */
async function land(lake: Lake, ...ids: string[]): Promise<void> {
  const events = ids.flatMap((id) => [
    { eventId: id, at: (NOON - 60_000) * 1_000 },
    { eventId: `${id}-yesterday`, at: (NOON - DAY_MS) * 1_000 },
  ]);
  await lake.land("weather", [weatherMessage({ messageId: uuidAt(NOON, ++messages), received: NOON * 1_000, events })]);
}

const silver = async (lake: Lake, date: string) =>
  (await lake.query(`SELECT event_id FROM silver_weather WHERE event_date = '${date}' ORDER BY event_id`)).map(
    (row) => row["event_id"],
  );

const stateOf = (lake: Lake, date: string) =>
  lake.d1.rows<{ status: string; error_message: string | null }>(
    "SELECT status, error_message FROM partition_meta WHERE domain = 'weather' AND partition_date = ?",
    date,
  )[0];

/** The newest bronze file of today. */
function newest(lake: Lake): string {
  const files = [...lake.bucket.objects.keys()].filter((key) => key.startsWith(`bronze/weather/event_date=${DAY}/`));
  const last = files.at(-1);
  if (last === undefined) throw new Error(`no bronze of ${DAY}: ${[...lake.bucket.objects.keys()].join(", ")}`);
  return last;
}

async function replace(lake: Lake, key: string, bytes: Uint8Array | undefined): Promise<void> {
  await lake.bucket.delete(key);
  if (bytes !== undefined) await lake.bucket.put(key, bytes);
}

/** The file with other columns: `change` gives the column in its place, or undefined to leave it out. */
async function rewritten(
  bytes: Uint8Array,
  change: (field: Field) => { field: Field; value?: string } | undefined,
  added: readonly Field[] = [],
): Promise<Uint8Array> {
  const file = await openParquet(bytesSource("file", bytes));
  const batches: Batch[] = [];
  const filled = (field: Field, length: number, value: string) => {
    const builder = createColumnBuilder(field.type);
    for (let row = 0; row < length; row++) pushValue(builder, value);
    return builder.finish();
  };
  for await (const batch of file.read(permit)) {
    const kept = batch.fields.flatMap((field, at) => {
      const changed = change(field);
      const column = batch.columns[at];
      if (changed === undefined || column === undefined) return [];
      const { field: next, value } = changed;
      return [{ field: next, column: value === undefined ? column : filled(next, batch.length, value) }];
    });
    for (const field of added) kept.push({ field, column: filled(field, batch.length, "?") });
    batches.push({
      fields: kept.map((one) => one.field),
      columns: kept.map((one) => one.column),
      length: batch.length,
    });
  }
  const fields = batches[0]?.fields ?? [];
  return writeParquet(permit, { fields, batches });
}

const text = (name: string): Field => ({ name, type: { kind: "utf8" }, nullable: false });

const FAULTS: readonly {
  readonly title: string;
  readonly spoil: (bytes: Uint8Array) => Promise<Uint8Array | undefined> | Uint8Array | undefined;
  /** What the partition then says, beside the file's name. */
  readonly says: RegExp;
}[] = [
  { title: "missing", spoil: () => undefined, says: /is not in the bucket/ },
  { title: "empty", spoil: () => new Uint8Array(), says: /Parquet/ },
  { title: "truncated", spoil: (bytes) => bytes.slice(0, bytes.byteLength / 2), says: /Parquet/ },
  {
    title: "damaged in its footer",
    spoil: (bytes) => bytes.map((byte, at) => (at > bytes.byteLength - 200 && at < bytes.byteLength - 8 ? 0xff : byte)),
    says: /CorruptParquet/,
  },
  {
    title: "damaged in its pages",
    spoil: (bytes) => bytes.map((byte, at) => (at > 4 && at < 600 ? byte ^ 0x5a : byte)),
    says: /CorruptParquet/,
  },
  {
    title: "with a column of another type",
    spoil: (bytes) =>
      rewritten(bytes, (field) =>
        field.name === "humidity_pct" ? { field: text(field.name), value: "wet" } : { field },
      ),
    says: /humidity_pct/,
  },
  {
    title: "without a column that every event has",
    spoil: (bytes) => rewritten(bytes, (field) => (field.name === "station_id" ? undefined : { field })),
    says: /station_id/,
  },
  {
    title: "without the column that its key is of",
    spoil: (bytes) => rewritten(bytes, (field) => (field.name === "event_id" ? undefined : { field })),
    says: /event_id/,
  },
  { title: "that is no Parquet at all", spoil: () => new TextEncoder().encode("a".repeat(5_000)), says: /Parquet/ },
];

describe("a bronze file", () => {
  test.each(FAULTS)(
    "$title: says so and what to do; the day before goes on, and it is built once mended",
    async (fault) => {
      const lake = new Lake(NOON);
      await land(lake, "a");
      await lake.settle();
      await land(lake, "b");
      const file = newest(lake);
      const whole = lake.bucket.bytesOf(file);
      await replace(lake, file, await fault.spoil(whole));
      await lake.settle();

      const state = stateOf(lake, DAY);
      expect(state?.status).toMatch(/^(FAILED|RETRYING|DEAD)$/);
      expect(state?.error_message).toContain(file);
      expect(state?.error_message).toMatch(fault.says);
      expect(stateOf(lake, "2026-11-20")?.status).toBe("DONE");
      expect(await silver(lake, "2026-11-20")).toEqual(["a-yesterday", "b-yesterday"]);
      expect(await silver(lake, DAY)).toEqual(["a"]);

      await replace(lake, file, whole);
      lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather' RETURNING 1");
      await lake.settle();
      expect(stateOf(lake, DAY)).toMatchObject({ status: "DONE", error_message: null });
      expect(await silver(lake, DAY)).toEqual(["a", "b"]);
    },
  );

  test("with a column that no contract has is read without it", async () => {
    const lake = new Lake(NOON);
    await land(lake, "a");
    const file = newest(lake);
    await replace(lake, file, await rewritten(lake.bucket.bytesOf(file), (field) => ({ field }), [text("intruder")]));
    await lake.settle();
    expect(stateOf(lake, DAY)?.status).toBe("DONE");
    expect(Object.keys((await lake.query("SELECT * FROM silver_weather"))[0] ?? {})).not.toContain("intruder");
  });
});

describe("a row of the catalog that somebody edited", () => {
  const EDITS = [
    {
      title: "more rows than the file has",
      sql: "UPDATE bronze_file_dates SET rows = rows + 5",
      says: /rows that the catalog lists/,
    },
    {
      title: "a first row past the file's end",
      sql: "UPDATE bronze_file_dates SET first_row = 900",
      says: /rows that the catalog lists/,
    },
    {
      title: "fewer than no rows",
      sql: "UPDATE bronze_file_dates SET rows = -1",
      says: /bronze_file_dates .* column rows holds -1, not a number of at least 0/s,
    },
  ];
  test.each(EDITS)("$title: the partition says so, and the day before goes on", async ({ sql, says }) => {
    const lake = new Lake(NOON);
    await land(lake, "a");
    await lake.settle();
    await land(lake, "b");
    const file = newest(lake);
    lake.d1.rows(`${sql} WHERE file = ? AND partition_date = ? RETURNING 1`, file, DAY);
    await lake.settle();
    expect(stateOf(lake, DAY)?.error_message).toMatch(says);
    expect(await silver(lake, DAY)).toEqual(["a"]);
    expect(await silver(lake, "2026-11-20")).toEqual(["a-yesterday", "b-yesterday"]);
  });
});

test("a clock that goes back: what was registered later is built, once, whatever its times say", async () => {
  const lake = new Lake(NOON);
  await land(lake, "a");
  await lake.settle();
  lake.now -= 3 * 3_600_000;
  await land(lake, "a", "b");
  await lake.settle();
  lake.now += 60 * 3_600_000;
  await land(lake, "c");
  lake.now -= 2 * DAY_MS;
  await lake.settle();
  expect(await silver(lake, DAY)).toEqual(["a", "b", "c"]);
  expect(stateOf(lake, DAY)).toMatchObject({ error_message: null });
});
