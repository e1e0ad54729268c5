import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LibraryCheck } from "../../contracts/contract.ts";
import { type Measures, measureName } from "../../lakehouse/builds/gates/measures.ts";
import type { KeySpace } from "../../lakehouse/builds/silver/key-space.ts";
import { silverStep } from "../../lakehouse/builds/silver/step.ts";
import { createColumnBuilder } from "../../lakehouse/engine/columns/builder.ts";
import type { Batch, Field, Value } from "../../lakehouse/engine/columns/column.ts";
import { pushValue } from "../../lakehouse/engine/columns/push-value.ts";
import { rowAt } from "../../lakehouse/engine/columns/value.ts";
import type { Identities } from "../../lakehouse/engine/keys/identity.ts";
import type { TopicTable } from "../../lakehouse/tables/catalog.ts";
import { longOrShare } from "../long-share.ts";
import { tableOf } from "../oracle/lake.ts";

/** What decides a row's way: the rest of the columns stands for itself. */
interface Sample {
  readonly id: string;
  readonly pair: string | null;
  readonly amount: number | null;
  readonly hour: number;
  readonly replayed: boolean;
}

const FIELDS: readonly Field[] = [
  { name: "id", type: { kind: "utf8" }, nullable: false },
  { name: "pair", type: { kind: "utf8" }, nullable: true },
  { name: "amount", type: { kind: "int32" }, nullable: true },
  { name: "_received", type: { kind: "timestamp" }, nullable: false },
  { name: "_replay_of", type: { kind: "utf8" }, nullable: true },
  { name: "position", type: { kind: "int32" }, nullable: false },
];

const NONE: Pick<LibraryCheck, "values" | "unit" | "bound"> = {
  values: [],
  unit: "rows",
  bound: { op: "mustBe", value: 0 },
};
const CHECKS: readonly LibraryCheck[] = [
  { ...NONE, name: "rows", layer: "bronze", metric: "rowCount", columns: [], onFail: "block" },
  { ...NONE, name: "copies", layer: "bronze", metric: "duplicateValues", columns: ["id"], onFail: "warn" },
  { ...NONE, name: "amount", layer: "silver", metric: "nullValues", columns: ["amount"], onFail: "quarantine" },
  {
    ...NONE,
    name: "pair",
    layer: "silver",
    metric: "duplicateValues",
    columns: ["pair", "amount"],
    onFail: "quarantine",
  },
  {
    ...NONE,
    name: "even",
    layer: "silver",
    metric: "invalidValues",
    columns: ["amount"],
    values: ["0", "2"],
    onFail: "warn",
  },
  { ...NONE, name: "twice", layer: "silver", metric: "duplicateValues", columns: ["pair"], onFail: "warn" },
];

const table: TopicTable = (() => {
  const weather = tableOf("weather");
  if (weather.kind !== "topic") throw new Error("weather is a topic");
  return { ...weather, fields: FIELDS, checks: CHECKS, contract: { ...weather.contract, dedupeKey: ["id"] } };
})();
const TAKING = new Set(CHECKS.filter(({ onFail }) => onFail === "quarantine").map(measureName));

const HOUR = 3_600_000_000;

function rowOf(sample: Sample, position: number): Record<string, Value> {
  return {
    id: sample.id,
    pair: sample.pair,
    amount: sample.amount,
    _received: BigInt(sample.hour * HOUR + position),
    _replay_of: sample.replayed ? "dlq" : null,
    position,
  };
}

function batchOf(rows: readonly Record<string, Value>[], fields: readonly Field[]): Batch {
  const columns = fields.map((field) => {
    const builder = createColumnBuilder(field.type);
    for (const row of rows) pushValue(builder, row[field.name] ?? null);
    return builder.finish();
  });
  return { fields, columns, length: rows.length };
}

/** What silver must be: row after row, everything remembered. */
function reference(samples: readonly Sample[]) {
  const ids = new Set<string>();
  const pairs = new Set<string>();
  const keptPairs = new Set<string>();
  const kept: number[] = [];
  const quarantined: [number, string[]][] = [];
  const counts = { copies: 0, amount: 0, pair: 0, even: 0, twice: 0 };
  for (const [position, { id, pair, amount }] of samples.entries()) {
    if (ids.has(id)) {
      counts.copies++;
      continue;
    }
    ids.add(id);
    if (amount === null) {
      counts.amount++;
      quarantined.push([position, ["amount"]]);
      continue;
    }
    const key = JSON.stringify([pair, amount]);
    if (pair !== null && pairs.has(key)) {
      counts.pair++;
      quarantined.push([position, ["pair"]]);
      continue;
    }
    if (pair !== null) pairs.add(key);
    if (amount !== 0 && amount !== 2) counts.even++;
    if (pair !== null && keptPairs.has(pair)) counts.twice++;
    else if (pair !== null) keptPairs.add(pair);
    kept.push(position);
  }
  return { kept, quarantined, counts };
}

/** The same through steps that end at `cuts`, in batches of `width` rows. */
async function inSteps(samples: readonly Sample[], cuts: readonly number[], width: number, turned: number) {
  const rows = samples.map(rowOf);
  const known = new Map<string, Identities[]>();
  const kept: number[] = [];
  const quarantined: [number, Value][] = [];
  let measures: Measures = {};
  const hours = new Map<string, number>();
  const ends = [...new Set([...cuts.filter((cut) => cut < rows.length), rows.length])].sort((a, b) => a - b);
  for (const [i, end] of ends.entries()) {
    const own = rows.slice(ends[i - 1] ?? 0, end);
    // Rows are read by the file that they stand in, not by position.
    const read = own.toSorted((a, b) => turned * (Number(a["amount"]) - Number(b["amount"])));
    const output = await silverStep(
      table,
      {
        rows: {
          count: own.length,
          order: Int32Array.from(own, (row) => read.indexOf(row)),
          async *read(fields) {
            for (let at = 0; at < read.length; at += width) yield batchOf(read.slice(at, at + width), fields);
          },
        },
        async *known({ id }: KeySpace) {
          // A step frees what it is given.
          yield* (known.get(id) ?? []).map((identities) => identities.slice());
        },
        taking: TAKING,
        measures,
        seed: end,
      },
      {
        async kept(batch) {
          for (let row = 0; row < batch.length; row++) kept.push(Number(rowAt(batch, row)["position"]));
        },
        async quarantined(batch) {
          for (let row = 0; row < batch.length; row++) {
            const { position, _failed_checks: checks } = rowAt(batch, row);
            quarantined.push([Number(position), checks ?? null]);
          }
        },
      },
    );
    for (const { space, identities } of output.keys) known.set(space.id, [...(known.get(space.id) ?? []), identities]);
    measures = output.measures;
    for (const { hour, term, events } of output.terms.outcomes) add(hours, `${term} ${hour}`, events);
    for (const { hour, events } of output.terms.duplicates) add(hours, `duplicate ${hour}`, events);
  }
  const rowsOf = (check: string) => Object.entries(measures).find(([name]) => name.endsWith(`/${check}`))?.[1].rows;
  const counts = {
    copies: rowsOf("copies"),
    amount: rowsOf("amount"),
    pair: rowsOf("pair"),
    even: rowsOf("even"),
    twice: rowsOf("twice"),
  };
  kept.sort((a, b) => a - b);
  quarantined.sort(([a], [b]) => a - b);
  return { kept, quarantined, counts, measures, hours };
}

function add(into: Map<string, number>, key: string, events: number): void {
  into.set(key, (into.get(key) ?? 0) + events);
}

const sample: fc.Arbitrary<Sample> = fc.record({
  id: fc.oneof(fc.constantFrom("a", "b", "c", "00000000-0000-4000-8000-000000000001"), fc.uuid(), fc.string()),
  pair: fc.constantFrom("p", "q", "r", null),
  amount: fc.constantFrom(0, 1, 2, null),
  hour: fc.integer({ min: 0, max: 3 }),
  replayed: fc.boolean(),
});

describe("a partition's rows, cut into steps anyhow,", () => {
  test("become the rows, the quarantine and the measures of one pass that remembers everything", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sample, { maxLength: 40 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(-1, 0, 1),
        async (samples, cuts, width, turned) => {
          const expected = reference(samples);
          const { measures, hours, ...found } = await inSteps(samples, cuts, width, turned);
          expect(found).toEqual(expected);
          expect(measures["bronze/rows"]).toEqual({ rows: samples.length, of: samples.length });
          const whole = await inSteps(samples, [], 1_000, 0);
          expect(whole).toEqual({ ...found, measures, hours });
          expect([...hours.values()].reduce((sum, events) => sum + events, 0)).toBe(samples.length);
        },
      ),
      { numRuns: longOrShare(200, 70) },
    );
  });
});
