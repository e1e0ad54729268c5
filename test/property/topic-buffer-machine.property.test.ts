/**
 * P3, P8 by random schedules: whatever is delivered, lost, repeated, refused or killed, in the end every event of every
 * message that an append called stored is in bronze exactly once, and D1 and the ledger say the same.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { hourOf, hourText, oldestHour, packId } from "../../durable-objects/topic-buffer/remembered-ids.ts";
import { rowAt } from "../../lakehouse/columns/value.ts";
import { bytesSource, readParquet } from "../../lakehouse/parquet/reader.ts";
import { formatDate } from "../../schemas/time.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { framesForShard, uuidAt } from "../oracle/frames.ts";
import { readWithDuckDb } from "../oracle/read-parquet.ts";
import { weatherMessage } from "../oracle/weather.ts";
import { type IoFault, Shard } from "./topic-buffer/shard.ts";

const START = Date.UTC(2026, 10, 21, 23, 30);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LABEL = "orders|MISSING_FIELD";

interface Message {
  readonly id: string;
  readonly received: number;
  readonly events: number;
  readonly labelled: number;
  readonly bytes: Uint8Array;
}

type Op =
  | { readonly do: "deliver"; readonly messages: readonly number[]; readonly io: readonly IoFault[] }
  | {
      readonly do: "ring";
      readonly io: readonly IoFault[];
      readonly busy: boolean;
      /** Rings twice at once. */
      readonly twice: boolean;
      /** Messages that arrive while the alarm runs. */
      readonly meanwhile: readonly number[];
    }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "crash" };

const message = fc.record({
  // Some are older than the memory of ids; the clock may make others so.
  age: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 3 * HOUR }) },
    { weight: 1, arbitrary: fc.integer({ min: 8 * DAY, max: 11 * DAY }) },
  ),
  days: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }),
  labelled: fc.integer({ min: 0, max: 4 }),
});

const pool = fc.array(message, { minLength: 1, maxLength: 8 }).map((specs) =>
  specs.map(({ age, days, labelled }, n): Message => {
    const ms = START - age;
    const received = ms * 1_000 + n;
    const tallied = Math.min(labelled, days.length);
    return {
      id: uuidAt(ms, n),
      received,
      events: days.length,
      labelled: tallied,
      bytes: weatherMessage({
        messageId: uuidAt(ms, n),
        received,
        sequence: n + 1,
        events: days.map((day, i) => ({ eventId: `${n}-${i}`, at: (ms - day * DAY) * 1_000 })),
        ...(tallied === 0 ? {} : { tally: { [LABEL]: tallied } }),
      }),
    };
  }),
);

const ioFault = fc.constantFrom<IoFault>("ok", "ok", "ok", "before", "after", "crashBefore", "crashAfter");
const io = fc.array(ioFault, { maxLength: 5 });
const which = (minLength: number) => fc.array(fc.nat(7), { minLength, maxLength: 4 });
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("deliver" as const), messages: which(1), io }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("ring" as const),
      io,
      busy: fc.boolean(),
      twice: fc.boolean(),
      meanwhile: which(0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      ms: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(500, 5_000, 11_000, 400_000) },
        { weight: 1, arbitrary: fc.constantFrom(10 * DAY, 10 * DAY, -10 * DAY, -HOUR) },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "crash" as const }) },
);

async function play(shard: Shard, messages: readonly Message[], ops: readonly Op[]): Promise<void> {
  const deliver = (numbers: readonly number[]) =>
    shard.append(
      framesForShard(
        numbers.map((n) => pick(messages, n).bytes),
        0,
      ),
    );
  for (const one of ops) {
    switch (one.do) {
      case "deliver":
        shard.inject(one.io);
        await deliver(one.messages);
        break;
      case "ring":
        shard.inject(one.io);
        await Promise.all([
          shard.ring(one.busy),
          one.twice ? shard.ring() : undefined,
          one.meanwhile.length > 0 ? deliver(one.meanwhile) : undefined,
        ]);
        break;
      case "advance":
        shard.now += one.ms;
        break;
      case "crash":
        shard.crash();
        // The alarm is durable, but let it be lost now and then: the watchdog is there for that.
        if (shard.crashes % 3 === 0) shard.alarm = null;
    }
    shard.inject([]);
  }
}

/** The faults are over: the queue delivers again what was not acknowledged, alarms ring when they are due. */
async function settle(shard: Shard, messages: readonly Message[], clockGoesBack: boolean): Promise<Set<string>> {
  shard.now = clockGoesBack ? START : Math.max(shard.now, START);
  const refused = new Set<string>();
  for (const { id, bytes } of messages) {
    const result = await shard.append(framesForShard([bytes, bytes], 0));
    expect(result).toBeDefined();
    for (const old of result?.tooOld ?? []) refused.add(old);
    expect(result?.stored.includes(id)).not.toBe(result?.tooOld.includes(id));
  }
  shard.poke();
  for (let rings = 0; shard.alarm !== null; rings++) {
    if (rings > 200) throw new Error("the alarms never end");
    shard.now = Math.max(shard.now, shard.alarm);
    await shard.ring();
  }
  return refused;
}

async function bronzeRows(shard: Shard): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const files = shard.d1.rows<{ file: string; rows: number; bytes: number }>(
    "SELECT file, rows, bytes FROM bronze_files",
  );
  expect(files.map(({ file }) => file).sort()).toEqual([...shard.bucket.objects.keys()].sort());
  for (const { file, rows, bytes } of files) {
    const object = shard.bucket.bytesOf(file);
    expect(object.byteLength).toBe(bytes);
    const dates = shard.d1.rows<{ partition_date: string; first_row: number; rows: number }>(
      "SELECT partition_date, first_row, rows FROM bronze_file_dates WHERE file = ? ORDER BY first_row",
      file,
    );
    const dateOfRow = dates.flatMap((date) => Array.from({ length: date.rows }, () => date.partition_date));
    expect(dateOfRow).toHaveLength(rows);
    let at = 0;
    for await (const batch of readParquet(bytesSource(file, object))) {
      for (let row = 0; row < batch.length; row++) {
        const value = rowAt(batch, row);
        expect(formatDate(Number(value["event_date"]))).toBe(dateOfRow[at++]);
        const key = `${String(value["_message"])}/${String(value["_event"])}`;
        found.set(key, (found.get(key) ?? 0) + 1);
      }
    }
    expect(at).toBe(rows);
  }
  return found;
}

async function judge(shard: Shard, messages: readonly Message[], refused: ReadonlySet<string>): Promise<void> {
  const stored = messages.filter(({ id }) => shard.stored.has(id));
  for (const { id } of messages) expect(shard.stored.has(id) || refused.has(id)).toBe(true);
  // A message that was appended, lost its answer and then became too old is in bronze, though nobody was told so.
  const appended = new Map(
    shard.storage
      .exec<{ hour: number; packed: ArrayBuffer }>("SELECT hour, packed FROM message_ids")
      .toArray()
      .flatMap(({ packed }) => {
        const hex = Buffer.from(packed).toString("hex");
        return Array.from({ length: hex.length / 32 }, (_, i) => [hex.slice(i * 32, i * 32 + 32), true] as const);
      }),
  );
  const rows = await bronzeRows(shard);
  for (const { id, events } of stored) for (let i = 0; i < events; i++) expect(rows.get(`${id}/${i}`)).toBe(1);
  for (const count of rows.values()) expect(count).toBe(1);

  const inBronze = messages.filter(({ id }) => rows.has(`${id}/0`));
  expect(rows.size).toBe(inBronze.reduce((sum, { events }) => sum + events, 0));
  const floor = Math.max(
    oldestHour(shard.now),
    shard.storage.exec<{ hour: number }>("SELECT forgotten_before AS hour FROM identity").one().hour,
  );
  for (const { id } of inBronze) {
    if (hourOf(id) >= floor) expect(appended.has(Buffer.from(packId(id)).toString("hex"))).toBe(true);
  }

  const totals = new Map<string, number>();
  const add = (hour: string, detail: string, events: number) => {
    if (events > 0) totals.set(`${hour} ${detail}`, (totals.get(`${hour} ${detail}`) ?? 0) + events);
  };
  for (const { received, events, labelled } of inBronze) {
    const hour = `${new Date(Math.floor(received / 1_000)).toISOString().slice(0, 13)}:00:00Z`;
    add(hour, LABEL, labelled);
    add(hour, "", events - labelled);
  }
  const ledger = shard.d1.rows<{ hour: string; detail: string; events: number }>(
    "SELECT hour, detail, events FROM ledger",
  );
  expect(new Map(ledger.map(({ hour, detail, events }) => [`${hour} ${detail}`, events]))).toEqual(totals);

  // Bronze by hour of reception is what was appended; of each hour's messages D1 knows how many, and between which numbers.
  const byHour = (lines: readonly { hour: string; n: number }[]) => new Map(lines.map(({ hour, n }) => [hour, n]));
  const count = (table: string, column: string) =>
    byHour(shard.d1.rows<{ hour: string; n: number }>(`SELECT hour, sum(${column}) AS n FROM ${table} GROUP BY hour`));
  expect(count("bronze_file_hours", "rows")).toEqual(count("ledger", "events"));
  const arrived = Map.groupBy(inBronze, ({ id }) => hourText(hourOf(id)));
  const numbers = (of: readonly Message[]) => of.map((one) => messages.indexOf(one) + 1);
  expect(
    shard.d1
      .rows<{ hour: string; instances: string }>("SELECT hour, instances FROM ledger_arrivals ORDER BY hour")
      .map(({ hour, instances }) => [hour, JSON.parse(instances)]),
  ).toEqual(
    [...arrived]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([hour, of]) => [hour, { test: [of.length, Math.min(...numbers(of)), Math.max(...numbers(of))] }]),
  );

  expect(shard.storage.exec("SELECT hour FROM ledger WHERE published <> events").toArray()).toEqual([]);
  expect(shard.overwritten).toEqual([]);
  expect(shard.storage.exec("SELECT id FROM blocks").toArray()).toEqual([]);
  expect(shard.storage.exec("SELECT seq FROM flushes").toArray()).toEqual([]);
  expect(shard.d1.rows("SELECT topic, shard, shard_of FROM shards")).toEqual([
    { topic: "weather", shard: 0, shard_of: 1 },
  ]);
}

function pick<T>(from: readonly T[], n: number): T {
  const one = from[n % from.length];
  if (one === undefined) throw new RangeError("an empty pool");
  return one;
}

beforeAll(() => loadParquetWasm());

describe("TopicBuffer under faults", () => {
  test("every stored event is in bronze exactly once, registered once, counted once", async () => {
    const seen = { crashes: 0, failures: 0, refused: 0, mixed: 0 };
    await fc.assert(
      fc.asyncProperty(pool, fc.array(op, { maxLength: 14 }), fc.boolean(), async (messages, ops, clockGoesBack) => {
        const shard = new Shard(START);
        await play(shard, messages, ops);
        const refused = await settle(shard, messages, clockGoesBack);
        await judge(shard, messages, refused);
        seen.crashes += shard.crashes;
        seen.failures += shard.failures;
        seen.refused += refused.size;
        seen.mixed += [...shard.bucket.objects.keys()].filter((key) => key.startsWith("bronze_mixed/")).length;
      }),
      { numRuns: 600 },
    );
    // The schedules really meet what they are about.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10);
  });

  test("DuckDB reads the same rows from the files", async () => {
    await fc.assert(
      fc.asyncProperty(pool, fc.array(op, { minLength: 4, maxLength: 10 }), async (messages, ops) => {
        const shard = new Shard(START);
        await play(shard, messages, ops);
        await settle(shard, messages, false);
        const found: string[] = [];
        for (const bytes of [...shard.bucket.objects.values()].map((object) => object.bytes)) {
          for (const row of await readWithDuckDb(bytes))
            found.push(`${String(row["_message"])}/${String(row["_event"])}`);
        }
        expect(found.sort()).toEqual([...(await bronzeRows(shard)).keys()].sort());
      }),
      { numRuns: 5 },
    );
  });
});
