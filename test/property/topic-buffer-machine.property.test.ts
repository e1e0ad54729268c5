/**
 * P3, P8 by random schedules: whatever is delivered, lost, repeated, delayed, reordered, refused, slow, late or killed, in the end
 * every event of every message that an append called stored is in bronze exactly once, or parked with its slice when its bytes
 * are no events, and D1 and the ledger say the same.
 */

import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { hourOf, oldestHour, packId } from "../../durable-objects/topic-buffer/remembered-ids.ts";
import { rowAt } from "../../lakehouse/engine/columns/value.ts";
import { bytesSource, readParquet } from "../../lakehouse/engine/parquet/reader.ts";
import { hourText } from "../../schemas/hours.ts";
import { formatDate } from "../../schemas/time.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { framesForShard, framesOf, uuidAt } from "../oracle/frames.ts";
import { permit } from "../oracle/permit.ts";
import { readWithDuckDb } from "../oracle/read-parquet.ts";
import { weatherMessage } from "../oracle/weather.ts";
import { type IoFault, LIMITS, type Outage, Shard } from "./topic-buffer/shard.ts";

const START = Date.UTC(2026, 10, 21, 23, 30);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LABEL = "orders|MISSING_FIELD";
/** Of the last event: no varint is so long. */
const CORRUPT_BYTES = 30;

interface Message {
  readonly id: string;
  readonly received: number;
  readonly events: number;
  readonly labelled: number;
  /** Its bytes are not the events that its header claims. */
  readonly corrupt: boolean;
  readonly bytes: Uint8Array;
}

type Op =
  | { readonly do: "deliver"; readonly messages: readonly number[]; readonly io: readonly IoFault[] }
  | {
      readonly do: "ring";
      readonly io: readonly IoFault[];
      readonly busy: boolean;
      /** Rings once all that waits is due. */
      readonly due: boolean;
      /** Rings twice at once. */
      readonly twice: boolean;
      /** Messages that arrive while the alarm runs. */
      readonly meanwhile: readonly number[];
    }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "crash" | "reset" | "loseAlarm" | "poke" | "deploy" | "fold" }
  | { readonly do: "outage"; readonly of: Outage };

const message = fc.record({
  // Some are older than the memory of ids; the clock may make others so.
  age: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 3 * HOUR }) },
    { weight: 1, arbitrary: fc.integer({ min: 8 * DAY, max: 11 * DAY }) },
  ),
  days: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }),
  labelled: fc.integer({ min: 0, max: 4 }),
  corrupt: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const pool = fc.array(message, { minLength: 1, maxLength: 8 }).map((specs) =>
  specs.map(({ age, days, labelled, corrupt }, n): Message => {
    const ms = START - age;
    const received = ms * 1_000 + n;
    const tallied = Math.min(labelled, days.length);
    const bytes = weatherMessage({
      messageId: uuidAt(ms, n),
      received,
      sequence: n + 1,
      events: days.map((day, i) => ({ eventId: `${n}-${i}`, at: (ms - day * DAY) * 1_000 })),
      ...(tallied === 0 ? {} : { tally: { [LABEL]: tallied } }),
    });
    if (corrupt) bytes.fill(0xff, bytes.byteLength - CORRUPT_BYTES);
    return {
      id: uuidAt(ms, n),
      received,
      events: days.length,
      labelled: tallied,
      corrupt,
      bytes,
    };
  }),
);

const ioFault = fc.oneof(
  { weight: 5, arbitrary: fc.constant<IoFault>("ok") },
  {
    weight: 9,
    arbitrary: fc.constantFrom<IoFault>(
      "before",
      "after",
      "crashBefore",
      "crashAfter",
      "slow",
      "late",
      "taken",
      "deploy",
      "folded",
    ),
  },
  // Only the first put of a file can meet it.
  { weight: 1, arbitrary: fc.constant<IoFault>("taken") },
);
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
      due: fc.boolean(),
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
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("crash" as const, "reset", "loseAlarm", "poke") }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("deploy" as const, "fold") }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("outage" as const),
      of: fc.constantFrom<Outage>("none", "r2", "d1", "both"),
    }),
  },
);

async function play(shard: Shard, messages: readonly Message[], ops: readonly Op[]): Promise<void> {
  const deliver = (numbers: readonly number[]) => {
    const chosen = numbers.map((n) => pick(messages, n)).filter(({ id }) => !shard.sealed.has(id));
    return shard.append(
      framesForShard(
        chosen.map(({ bytes }) => bytes),
        0,
      ),
    );
  };
  for (const one of ops) {
    switch (one.do) {
      case "deliver":
        shard.inject(one.io);
        await deliver(one.messages);
        break;
      case "ring":
        if (one.due) shard.now += LIMITS.ageMs;
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
        break;
      case "reset":
        shard.reset();
        break;
      case "loseAlarm":
        shard.loseAlarm();
        break;
      case "deploy":
        shard.deploy();
        break;
      case "fold":
        shard.lake.fold();
        break;
      case "poke":
        shard.poke();
        break;
      case "outage":
        shard.outage = one.of;
    }
    shard.inject([]);
    const [known, stored] = shard.totals();
    expect(known).toEqual(stored);
  }
}

/** The faults are over: the queue delivers again what was not acknowledged, alarms ring when they are due. */
async function settle(shard: Shard, messages: readonly Message[], clockGoesBack: boolean): Promise<Set<string>> {
  shard.now = clockGoesBack ? START : Math.max(shard.now, START);
  const refused = new Set<string>();
  // What was registered without an answer, or arrives only now, is registered again with its rows gone.
  shard.lake.fold();
  await shard.drain();
  for (const { id, bytes } of messages) {
    if (shard.sealed.has(id)) continue;
    let result = await shard.append(framesForShard([bytes, bytes], 0));
    // A buffer that is full is not for long, now that it can write.
    for (let tries = 0; result?.refused.includes(id) === true && tries < 3; tries++) {
      await shard.drain();
      result = await shard.append(framesForShard([bytes, bytes], 0));
    }
    expect(result).toBeDefined();
    for (const old of result?.tooOld ?? []) refused.add(old);
    expect(result?.refused).toEqual([]);
    expect(result?.stored.includes(id)).not.toBe(result?.tooOld.includes(id));
  }
  await shard.drain();
  return refused;
}

async function bronzeRows(shard: Shard): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const files = shard.d1.rows<{ file: string; rows: number; bytes: number }>(
    "SELECT file, rows, bytes FROM all_bronze_files",
  );
  const objects = [...shard.bucket.objects.keys()].filter((key) => !key.startsWith("parked/"));
  expect(files.map(({ file }) => file).sort()).toEqual(objects.sort());
  for (const { file, rows, bytes } of files) {
    const object = shard.bucket.bytesOf(file);
    expect(object.byteLength).toBe(bytes);
    const dates = shard.d1.rows<{ partition_date: string; first_row: number; rows: number }>(
      "SELECT partition_date, first_row, rows FROM all_bronze_file_dates WHERE file = ? ORDER BY first_row",
      file,
    );
    const dateOfRow = dates.flatMap((date) => Array.from({ length: date.rows }, () => date.partition_date));
    expect(dateOfRow).toHaveLength(rows);
    let at = 0;
    for await (const batch of readParquet(permit, bytesSource(file, object))) {
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
  const stored = messages.filter(({ id, corrupt }) => shard.stored.has(id) && !corrupt);
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

  const parked = parkedMessages(shard, messages);
  const inBronze = messages.filter(({ id }) => rows.has(`${id}/0`));
  expect(inBronze.filter(({ corrupt }) => corrupt)).toEqual([]);
  expect(messages.filter(({ id, corrupt }) => corrupt && shard.stored.has(id) && !parked.includes(id))).toEqual([]);
  expect(rows.size).toBe(inBronze.reduce((sum, { events }) => sum + events, 0));
  const floor = Math.max(
    oldestHour(shard.now),
    shard.storage.exec<{ hour: number }>("SELECT forgotten_before AS hour FROM identity").toArray()[0]?.hour ?? 0,
  );
  for (const { id } of inBronze) {
    if (hourOf(id) >= floor && !shard.sealed.has(id))
      expect(appended.has(Buffer.from(packId(id)).toString("hex"))).toBe(true);
  }

  const totals = new Map<string, number>();
  const add = (hour: string, detail: string, events: number) => {
    if (events > 0) totals.set(`${hour} ${detail}`, (totals.get(`${hour} ${detail}`) ?? 0) + events);
  };
  // appended = bronze + parked, now that nothing is buffered.
  for (const { received, events, labelled } of messages.filter(
    (each) => inBronze.includes(each) || parked.includes(each.id),
  )) {
    const hour = `${new Date(Math.floor(received / 1_000)).toISOString().slice(0, 13)}:00:00Z`;
    add(hour, LABEL, labelled);
    add(hour, "", events - labelled);
  }
  const ledger = shard.d1.rows<{ hour: string; detail: string; events: number }>(
    "SELECT hour, detail, sum(events) AS events FROM ledger GROUP BY hour, detail",
  );
  expect(new Map(ledger.map(({ hour, detail, events }) => [`${hour} ${detail}`, events]))).toEqual(totals);

  // Bronze by hour of reception and what is parked is what was appended; of each hour's messages D1 knows how many, and between which numbers.
  const byHour = (lines: readonly { hour: string; n: number }[]) => new Map(lines.map(({ hour, n }) => [hour, n]));
  const count = (table: string, column: string) =>
    byHour(shard.d1.rows<{ hour: string; n: number }>(`SELECT hour, sum(${column}) AS n FROM ${table} GROUP BY hour`));
  const written = count("all_bronze_file_hours", "rows");
  for (const [hour, n] of count("parked_slices", "events")) written.set(hour, (written.get(hour) ?? 0) + n);
  expect(written).toEqual(count("ledger", "events"));
  const arrived = Map.groupBy(
    messages.filter((each) => inBronze.includes(each) || parked.includes(each.id)),
    ({ id }) => hourText(hourOf(id)),
  );
  const numbers = (of: readonly Message[]) => of.map((one) => messages.indexOf(one) + 1);
  // A row per incarnation: an object that was reset has another one.
  const noted = new Map<string, [number, number, number]>();
  for (const { hour, messages, first, last } of shard.d1.rows<
    Record<"messages" | "first" | "last", number> & { hour: string }
  >(
    `SELECT hour, i.value ->> 0 AS messages, i.value ->> 1 AS first, i.value ->> 2 AS last
       FROM ledger_arrivals, json_each(instances) AS i`,
  )) {
    const [before, low, high] = noted.get(hour) ?? [0, first, last];
    noted.set(hour, [before + messages, Math.min(low, first), Math.max(high, last)]);
  }
  expect(noted).toEqual(
    new Map([...arrived].map(([hour, of]) => [hour, [of.length, Math.min(...numbers(of)), Math.max(...numbers(of))]])),
  );

  // The present hour's total is not marked as told, but D1 has it.
  for (const { hour, detail, events } of shard.storage.exec<{ hour: string; detail: string; events: number }>(
    "SELECT hour, detail, events FROM ledger WHERE published <> events",
  ))
    expect(
      shard.d1.rows("SELECT 1 FROM ledger WHERE hour = ? AND detail = ? AND events = ?", hour, detail, events),
    ).not.toEqual([]);
  expect(shard.overwritten).toEqual([]);
  judgePositions(shard);
  expect(shard.storage.exec("SELECT id FROM blocks").toArray()).toEqual([]);
  expect(shard.storage.exec("SELECT seq FROM flushes").toArray()).toEqual([]);
  expect(shard.storage.exec("SELECT seq FROM parked").toArray()).toEqual([]);
  expect(shard.d1.rows("SELECT topic, shard, shard_of FROM shards")).toEqual([
    { topic: "weather", shard: 0, shard_of: 1 },
  ]);
}

/** Each flush has one number, a higher one than those that were registered before it; the shard has the last, and no date two files. */
function judgePositions(shard: Shard): void {
  const flushes = shard.d1.rows<{ incarnation: string; seq: number; registration: number; files: number }>(
    "SELECT DISTINCT incarnation, seq, registration FROM all_bronze_files ORDER BY registration",
  );
  const numbers = flushes.map(({ registration }) => registration);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(new Set(flushes.map(({ incarnation, seq }) => `${incarnation}-${seq}`)).size).toBe(numbers.length);
  for (const [, own] of Map.groupBy(flushes, ({ incarnation }) => incarnation))
    expect(own.map(({ seq }) => seq)).toEqual(own.map(({ seq }) => seq).sort((a, b) => a - b));
  const [last] = shard.d1.rows<{ registration: number }>("SELECT registration FROM shards");
  expect(last?.registration ?? 0).toBeGreaterThanOrEqual(numbers.at(-1) ?? 0);
  expect(
    shard.d1.rows(
      "SELECT partition_date, registration FROM all_bronze_file_dates GROUP BY partition_date, registration HAVING count(*) > 1 OR registration = 0",
    ),
  ).toEqual([]);
}

/** Ids of the messages that stand in D1 as parked, each whole in R2 and counted as its header says. */
function parkedMessages(shard: Shard, messages: readonly Message[]): string[] {
  const rows = shard.d1.rows<{ key: string; message_id: string; events: number; cause: string }>(
    "SELECT key, message_id, events, cause FROM parked_slices",
  );
  const keys = [...shard.bucket.objects.keys()].filter((key) => key.startsWith("parked/"));
  expect(rows.map(({ key }) => key).sort()).toEqual(keys.sort());
  for (const { key, message_id, events, cause } of rows) {
    const message = messages.find(({ id }) => id === message_id);
    expect([message?.corrupt, message?.events, cause]).toEqual([true, events, "data"]);
    const [frame] = framesOf(message?.bytes ?? new Uint8Array());
    expect(shard.bucket.bytesOf(key)).toEqual(frame?.bytes);
  }
  return rows.map(({ message_id }) => message_id);
}

function pick<T>(from: readonly T[], n: number): T {
  const one = from[n % from.length];
  if (one === undefined) throw new RangeError("an empty pool");
  return one;
}

/** Thousands by `npm run chaos`, which sets these two and reports the counts. */
const SCHEDULES = Number(process.env["SCHEDULES"] ?? longOrShare(800, 50));
const COUNTS_FILE = process.env["SCHEDULE_COUNTS"];
/** A schedule takes 100 ms at most on a machine with much else to do. */
const TIMEOUT_MS = 120_000 + SCHEDULES * 500;

beforeAll(() => loadParquetWasm());

describe("TopicBuffer under faults", () => {
  test("every stored event is in bronze exactly once, registered once, counted once", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const seen: Record<string, number> = { old: 0, mixed: 0, parked: 0 };
    const count = (name: string, n: number) => {
      seen[name] = (seen[name] ?? 0) + n;
    };
    await fc.assert(
      fc.asyncProperty(pool, fc.array(op, { maxLength: 14 }), fc.boolean(), async (messages, ops, clockGoesBack) => {
        const shard = new Shard(START);
        await play(shard, messages, ops);
        const refused = await settle(shard, messages, clockGoesBack);
        await judge(shard, messages, refused);
        for (const [name, n] of Object.entries(shard.seen)) count(name, n);
        const keys = [...shard.bucket.objects.keys()];
        count("old", refused.size);
        count("folds", shard.lake.folds);
        count("mixed", keys.filter((key) => key.startsWith("bronze_mixed/")).length);
        count("parked", keys.filter((key) => key.startsWith("parked/")).length);
      }),
      { numRuns: SCHEDULES },
    );
    if (COUNTS_FILE !== undefined) {
      writeFileSync(COUNTS_FILE, JSON.stringify(seen));
      return;
    }
    // The schedules really meet what they are about.
    for (const [name, n] of Object.entries(seen)) expect([name, n, n > SCHEDULES / 80]).toEqual([name, n, true]);
  });

  test("DuckDB reads the same rows from the files", async () => {
    await fc.assert(
      fc.asyncProperty(pool, fc.array(op, { minLength: 4, maxLength: 10 }), async (messages, ops) => {
        const shard = new Shard(START);
        await play(shard, messages, ops);
        await settle(shard, messages, false);
        const found: string[] = [];
        for (const [key, { bytes }] of shard.bucket.objects) {
          if (key.startsWith("parked/")) continue;
          for (const row of await readWithDuckDb(bytes))
            found.push(`${String(row["_message"])}/${String(row["_event"])}`);
        }
        expect(found.sort()).toEqual([...(await bronzeRows(shard)).keys()].sort());
      }),
      { numRuns: 5 },
    );
  });
});
