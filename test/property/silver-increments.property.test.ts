import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import type { LibraryCheck } from "../../contracts/contract.ts";
import { rowAt } from "../../lakehouse/engine/columns/value.ts";
import { bytesSource, readParquet } from "../../lakehouse/engine/parquet/reader.ts";
import type { Table } from "../../lakehouse/tables/catalog.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { uuidAt } from "../oracle/frames.ts";
import { Lake, tableOf } from "../oracle/lake.ts";
import { AnswerLostError } from "../oracle/memory-bucket.ts";
import { permit } from "../oracle/permit.ts";
import { weatherMessage } from "../oracle/weather.ts";

beforeAll(() => loadParquetWasm());

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const HOUR = 3_600_000;

/** Ids of which one may be in a day that has closed, and that all go to quarantine where there are more. */
const ODD = ["e10", "e11", "e12"];

/**
 * Of two readings with one time, the second goes to quarantine at once, of the odd ids all at the closing; and the checks' tallies must
 * come out whatever the steps.
 */
const table: Table = (() => {
  const weather = tableOf("weather");
  const rule: Omit<LibraryCheck, "name" | "layer" | "metric" | "columns" | "onFail"> = {
    values: [],
    unit: "rows",
    bound: { op: "mustBe", value: 0 },
  };
  const once: LibraryCheck = {
    ...rule,
    name: "one reading a moment",
    layer: "silver",
    metric: "duplicateValues",
    columns: ["event_timestamp"],
    onFail: "quarantine",
  };
  const few: LibraryCheck = {
    ...rule,
    name: "few copies",
    layer: "bronze",
    metric: "duplicateValues",
    columns: ["event_id"],
    onFail: "warn",
  };
  const odd: LibraryCheck = {
    ...rule,
    name: "one odd id",
    layer: "silver",
    metric: "invalidValues",
    columns: ["event_id"],
    values: Array.from({ length: 10 }, (_, n) => `e${n}`),
    bound: { op: "mustBeLessOrEqualTo", value: 1 },
    onFail: "quarantine",
    when: "closing",
  };
  return { ...weather, checks: [...weather.checks, once, few, odd] };
})();

interface Reading {
  readonly id: number;
  readonly minute: number;
}

type Event =
  | { readonly kind: "flush"; readonly readings: readonly Reading[]; readonly later: number }
  | { readonly kind: "build"; readonly fault: "none" | "before" | "after" | "r2" | "r2 after"; readonly at: number }
  | { readonly kind: "rebuild" }
  | { readonly kind: "hours"; readonly hours: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("flush" as const),
      readings: fc.array(fc.record({ id: fc.integer({ min: 0, max: 12 }), minute: fc.integer({ min: 0, max: 20 }) }), {
        minLength: 1,
        maxLength: 5,
      }),
      later: fc.integer({ min: 0, max: 90 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("build" as const),
      fault: fc.constantFrom("none", "none", "before", "after", "r2", "r2 after"),
      at: fc.integer({ min: 0, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "rebuild" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("hours" as const), hours: fc.integer({ min: 1, max: 20 }) }) },
);

interface Row {
  readonly id: string;
  readonly at: string;
}

/** Every row in the order in which its flush was registered; of a day that has closed, or has not. */
function reference(rows: readonly Row[], closed: boolean) {
  const winners = [...Map.groupBy(rows, ({ id }) => id).values()].flatMap(([first]) => first ?? []);
  const odd = winners.filter(({ id }) => ODD.includes(id)).length;
  const moments = new Set<string>();
  const kept: string[] = [];
  const quarantined: string[] = [];
  for (const { id, at } of winners) {
    const isOdd = closed && odd > 1 && ODD.includes(id);
    if (isOdd || moments.has(at)) quarantined.push(`${id} ${at}`);
    else kept.push(`${id} ${at}`);
    if (!isOdd) moments.add(at);
  }
  return { kept: kept.sort(), quarantined: quarantined.sort(), copies: rows.length - winners.length, odd };
}

async function published(lake: Lake) {
  const rowsOf = async (kind: "data" | "quarantine") => {
    const files = lake.d1.rows<{ file: string }>(
      `SELECT file FROM data_files WHERE table_name = 'silver_weather' AND partition_date = ? AND kind = ?
         AND added IS NOT NULL AND removed IS NULL ORDER BY file`,
      DAY,
      kind,
    );
    const rows: string[] = [];
    for (const { file } of files) {
      for await (const batch of readParquet(permit, bytesSource(file, lake.bucket.bytesOf(file)))) {
        for (let row = 0; row < batch.length; row++) {
          const { event_id: id, event_timestamp: at } = rowAt(batch, row);
          rows.push(`${id} ${at}`);
        }
      }
    }
    return rows.sort();
  };
  const count = (query: string) => lake.d1.rows<{ n: number | null }>(query, DAY)[0]?.n ?? 0;
  const ledger = {
    copies: count("SELECT sum(events) AS n FROM ledger_duplicates WHERE topic = 'weather' AND partition_date = ?"),
    silver: count(
      "SELECT sum(events) AS n FROM ledger_outcomes WHERE topic = 'weather' AND term = 'silver' AND partition_date = ?",
    ),
    quarantined: count(
      "SELECT sum(events) AS n FROM ledger_outcomes WHERE topic = 'weather' AND term = 'quarantined' AND partition_date = ?",
    ),
  };
  return { kept: await rowsOf("data"), quarantined: await rowsOf("quarantine"), ledger };
}

/** Ticks and builds until the partition is done. */
async function settle(lake: Lake, stepRows: number): Promise<void> {
  for (let tick = 0; tick < 300; tick++) {
    const queued = (await lake.plan()).filter(({ domain }) => domain === "weather");
    for (const { date } of queued) await lake.build(table, date, stepRows).catch(() => undefined);
    lake.now += 61_000;
    const [meta] = lake.d1.rows<{ status: string; unbuilt: number }>(
      `SELECT m.status, i.version <> i.built_version OR (l.awaits_closing AND ${lake.now >= CLOSED ? 1 : 0}) AS unbuilt
       FROM partition_meta m JOIN partition_inputs i USING (domain, partition_date) JOIN partition_leases l USING (domain, partition_date)
       WHERE domain = 'weather' AND partition_date = ?`,
      DAY,
    );
    if (meta?.status === "DONE" && meta.unbuilt === 0) return;
    if (meta?.status === "DEAD")
      throw new Error(JSON.stringify(lake.d1.rows("SELECT * FROM partition_meta WHERE domain = 'weather'")));
  }
  throw new Error("the partition never settles");
}

async function run(events: readonly Event[], stepRows: number) {
  const lake = new Lake(NOON);
  // Four keys: the progress holds the newest ones, objects the others.
  lake.inlineBytes = 64;
  const rows: Row[] = [];
  let message = 0;
  for (const step of events) {
    switch (step.kind) {
      case "flush": {
        lake.now += step.later * 1_000;
        const own = step.readings.map(({ id, minute }) => ({
          eventId: `e${id}`,
          at: (NOON - minute * 60_000) * 1_000,
        }));
        rows.push(...own.map(({ eventId, at }) => ({ id: eventId, at: String(at) })));
        const messageId = uuidAt(lake.now, ++message);
        await lake.land("weather", [weatherMessage({ messageId, received: lake.now * 1_000, events: own })]);
        break;
      }
      case "build": {
        await lake.plan();
        const idle = Array.from({ length: step.at }, () => undefined);
        if (step.fault === "before" || step.fault === "after") lake.d1.faults.push(...idle, step.fault);
        if (step.fault === "r2") lake.bucket.failures.push(...idle, new Error("R2 is down"));
        if (step.fault === "r2 after") lake.bucket.failures.push(...idle, new AnswerLostError("lost"));
        await lake.build(table, DAY, stepRows).catch(() => undefined);
        lake.d1.faults.length = 0;
        lake.bucket.failures.length = 0;
        lake.now += 1_000;
        break;
      }
      case "rebuild":
        // As an operator of the seeds does it.
        lake.d1.rows(
          "UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather' AND status = 'DONE' RETURNING 1",
        );
        break;
      case "hours":
        lake.now += step.hours * HOUR;
        break;
    }
  }
  await settle(lake, stepRows);
  return { lake, rows };
}

const CLOSED = Date.UTC(2026, 10, 22, 12);

/** What the checks of the closing measured last; undefined: they were not judged. */
function oddMeasured(lake: Lake): number | undefined {
  return lake.d1.rows<{ measured: number }>(
    "SELECT measured FROM check_history WHERE check_name = 'one odd id' ORDER BY checked_at DESC, run_id DESC LIMIT 1",
  )[0]?.measured;
}

test(
  "a day's silver is the same rows, however its builds are cut into steps and whatever fails between them",
  async () => {
    const met = { open: 0, taken: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 16 }), fc.integer({ min: 1, max: 8 }), async (events, stepRows) => {
        fc.pre(events.some(({ kind }) => kind === "flush"));
        const { lake, rows } = await run(events, stepRows);
        const found = async (closed: boolean) => {
          const { kept, quarantined, copies, odd } = reference(rows, closed);
          const ledger = { copies, silver: kept.length, quarantined: quarantined.length };
          const are = await published(lake);
          expect(are).toEqual({ kept, quarantined, ledger });
          expect(oddMeasured(lake)).toBe(closed ? odd : undefined);
          return are;
        };
        if (lake.now < CLOSED - 11 * HOUR) {
          await found(false);
          met.open++;
        }
        // Its closing, where it has not closed yet: one more build, and never another.
        lake.now = Math.max(lake.now, CLOSED);
        await settle(lake, stepRows);
        const closed = await found(true);
        if (reference(rows, true).odd > 1) met.taken++;
        lake.now += 48 * HOUR;
        expect((await lake.plan()).filter(({ domain }) => domain === "weather")).toEqual([]);
        // From the beginning, in other steps: the same, and the digest of the same inputs.
        const digest = () =>
          lake.d1.rows<{ d: string }>("SELECT file_hash AS d FROM partition_meta WHERE domain = 'weather'")[0]?.d;
        const before = digest();
        lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather' RETURNING 1");
        await settle(lake, stepRows + 3);
        expect(await found(true)).toEqual(closed);
        expect(digest()).toBe(before);
        expect(lake.d1.rows("SELECT * FROM data_files WHERE added IS NULL")).toEqual([]);
        expect(lake.d1.rows("SELECT line FROM silver_progress")).toEqual([{ line: "published" }]);
      }),
      { numRuns: longOrShare(40, 12) },
    );
    // Days that were open at the end of the schedule, and those whose closing took rows out.
    expect([met.open > 0, met.taken > 0]).toEqual([true, true]);
  },
  longOrShare(900_000, 120_000),
);
