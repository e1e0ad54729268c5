/** What grouping and aggregates of a model take in bytes a group and CPU a row, and what runs take that hold as much as they may, with the engine alone. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createColumnBuilder, finishBatch } from "../../lakehouse/engine/columns/builder.ts";
import type { Batch, ColumnType, Field } from "../../lakehouse/engine/columns/column.ts";
import type { Aggregate, Expression } from "../../lakehouse/engine/ir/ir.ts";
import { irTypeOf } from "../../lakehouse/engine/ir/ir-types.ts";
import { createGrouping } from "../../lakehouse/engine/operators/grouping.ts";
import { createHeldRows } from "../../lakehouse/engine/operators/held-rows.ts";
import { parseCommandLine } from "../command-line.ts";
import { HELD_CASES } from "./aggregates/held-cases.ts";
import { type Bench, median } from "./bench.ts";
import { figure, runIsolate } from "./memory/isolate.ts";

const ROWS = 1_000_000;
const BATCH_ROWS = 8_192;
const ROUNDS = 3;
/** Of the 60 MB that a step may take the rest is for the rows that it reads and writes. */
const HELD_BUDGET_MB = 40;
/** Bytes that the keys of a group took as texts in maps, with three aggregates: what this is held against. */
const BYTES_AS_TEXTS = 162;

const types = {
  day: { kind: "date" },
  customer: { kind: "utf8" },
  amount: { kind: "decimal", precision: 12, scale: 2 },
  at: { kind: "timestamp" },
  score: { kind: "float64" },
} as const satisfies Readonly<Record<string, ColumnType>>;
type ColumnName = keyof typeof types;
const names: readonly ColumnName[] = ["day", "customer", "amount", "at", "score"];
const fields: readonly Field[] = names.map((name) => ({ name, type: types[name], nullable: true }));

interface Case {
  readonly title: string;
  readonly groups: readonly ColumnName[];
  readonly aggregates: readonly (readonly [name: string, column: ColumnName, distinct?: "distinct"])[];
}

const CASES = {
  many: {
    title: "100,000 customers: count, sum, max",
    groups: ["day", "customer"],
    aggregates: [
      ["count", "at"],
      ["sum", "amount"],
      ["max", "at"],
    ],
  },
  few: {
    title: "one day: count, sum, avg, max, sum of doubles",
    groups: ["day"],
    aggregates: [
      ["count", "at"],
      ["sum", "amount"],
      ["avg", "amount"],
      ["max", "at"],
      ["sum", "score"],
    ],
  },
  doubles: { title: "100,000 customers: exact sum of doubles", groups: ["customer"], aggregates: [["sum", "score"]] },
  distinct: { title: "one day: a million distinct values", groups: ["day"], aggregates: [["count", "at", "distinct"]] },
} as const satisfies Readonly<Record<string, Case>>;

export const bench: Bench = {
  explanation: `Grouping ${ROWS.toLocaleString("en")} rows in batches of ${BATCH_ROWS}: bytes that the state takes, and CPU.
The ratio is bytes a group of two keys and three aggregates over the ${BYTES_AS_TEXTS} that keys as texts took; at most a half.
Then models and checks that hold as much as they may, each in a fresh process with an isolate's heap, a saved partial result loaded, gone on from and saved again: the peak of
JS heap and ArrayBuffers above the idle process; budget ${HELD_BUDGET_MB} MB. --case NAME for one of them. Needs Linux (/proc).`,
  async run(log, args) {
    const { values } = parseCommandLine(args, { options: { case: { type: "string" } } });
    const heldMb = await measureHeld(log, values.case);
    if (values.case !== undefined) {
      const ratio = heldMb / HELD_BUDGET_MB;
      return { ratio, budget: 1, ok: ratio <= 1, held_mb: heldMb };
    }
    const batches: Batch[] = [];
    for (let start = 0; start < ROWS; start += BATCH_ROWS)
      batches.push(batchOf(start, Math.min(BATCH_ROWS, ROWS - start)));
    const figures: Record<string, number> = {};
    let ratio = Number.NaN;
    for (const [name, measured] of Object.entries(CASES)) {
      const rounds = Array.from({ length: ROUNDS }, () => measure(measured, batches));
      const { bytes, groups } = rounds[0] ?? { bytes: 0, groups: 1 };
      const nanoseconds = Math.round((median(rounds.map(({ milliseconds }) => milliseconds)) * 1e6) / ROWS);
      log(
        `${measured.title}: ${Math.round(bytes / groups)} bytes a group (${(bytes / 1e6).toFixed(1)} MB), ${nanoseconds} ns of CPU a row`,
      );
      figures[`${name}_bytes`] = bytes;
      figures[`${name}_ns_a_row`] = nanoseconds;
      if (name === "many") ratio = bytes / groups / BYTES_AS_TEXTS;
    }
    const ok = ratio <= 0.5 && heldMb <= HELD_BUDGET_MB;
    return { ratio: Number(ratio.toFixed(2)), budget: 0.5, ok, held_mb: heldMb, ...figures };
  },
};

/** The most megabytes that any of the cases takes. */
async function measureHeld(log: (line: string) => void, only: string | undefined): Promise<number> {
  let most = 0;
  for (const [name, { title }] of Object.entries(HELD_CASES)) {
    if (only !== undefined && name !== only) continue;
    const folder = mkdtempSync(join(tmpdir(), "sluice-held-"));
    try {
      const figures = await runIsolate(join(import.meta.dirname, "aggregates/held-child.ts"), [name, folder]);
      const mb = Number((figure(figures, "memory") / 1e6).toFixed(1));
      most = Math.max(most, mb);
      log(`${name}: ${title}: ${mb} MB at the peak, ${figure(figures, "rows").toLocaleString("en")} rows`);
      if (figures["refused"] !== "") log(`  refused beyond: ${figures["refused"]}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  if (most === 0) throw new Error(`no case is called ${only}: ${Object.keys(HELD_CASES).join(", ")}`);
  return most;
}

function measure({ groups, aggregates }: Case, batches: readonly Batch[]) {
  const column = (name: ColumnName): Expression => ({
    node: "column",
    index: names.indexOf(name),
    type: irTypeOf(types[name]),
  });
  const plan = {
    node: "aggregate",
    input: { node: "scan", table: "rows", columns: [] },
    groups: groups.map(column),
    aggregates: aggregates.map(
      ([name, argument, distinct]): Aggregate => ({
        name,
        args: [column(argument)],
        distinct: distinct !== undefined,
        filter: null,
        type: resultType(name, argument),
      }),
    ),
  } as const;
  const grouping = createGrouping(plan, createHeldRows({ kind: "model", name: "bench", maxRows: ROWS }));
  const before = process.cpuUsage();
  for (const { columns, length } of batches) grouping.add({ columns, length });
  const bytes = grouping.byteLength;
  const { length } = grouping.finish();
  const { user, system } = process.cpuUsage(before);
  return { bytes, groups: length, milliseconds: (user + system) / 1000 };
}

function resultType(name: string, argument: ColumnName): Aggregate["type"] {
  if (name === "count") return { kind: "int64" };
  if (name === "avg") return { kind: "float64" };
  if (name === "sum" && argument === "amount") return { kind: "decimal", precision: 38, scale: 2 };
  return irTypeOf(types[argument]);
}

/** Customers in no order; every timestamp once. */
function batchOf(start: number, length: number): Batch {
  const builders = fields.map(({ type }) => createColumnBuilder(type));
  const [day, customer, amount, at, score] = builders;
  for (let row = start; row < start + length; row++) {
    if (day?.kind === "int32") day.push(20_000);
    if (customer?.kind === "bytes") customer.pushString(`customer-${(Math.imul(row, 2_654_435_761) >>> 0) % 100_000}`);
    if (amount?.kind === "int64") amount.push(BigInt(row % 100_000));
    if (at?.kind === "int64") at.push(1_700_000_000_000_000n + BigInt((row * 7_919) % ROWS));
    if (score?.kind === "float64") score.push((row % 10_007) / 100);
  }
  return finishBatch(fields, builders);
}
