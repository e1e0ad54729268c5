/** What a span of the day took, and what that costs. */
import { CPU_MILLISECOND_PRICE, noOperations, type Operations, priced } from "../../prices.ts";
import type { Counts } from "./tally.ts";

/** What the platform took so far. */
export interface Usage {
  readonly causes: ReadonlyMap<string, Counts>;
  /** Of workerd, its simulation of D1 and R2 included. */
  readonly cpuMs: number;
}

/** What came between two moments. */
export function between(from: Usage, to: Usage): Usage {
  const causes = [...to.causes].map(([cause, counts]) => {
    const before = from.causes.get(cause);
    return [cause, before === undefined ? counts : combined(counts, before, -1)] as const;
  });
  return { causes: new Map(causes), cpuMs: to.cpuMs - from.cpuMs };
}

/** Of all causes. */
export function total({ causes }: Pick<Usage, "causes">): Counts {
  return sumOf([...causes.values()]);
}

/** Of all causes of several spans. */
export function totalOf(spans: readonly Pick<Usage, "causes">[]): Counts {
  return sumOf(spans.map(total));
}

function sumOf(counts: readonly Counts[]): Counts {
  return counts.reduce((sum, each) => combined(sum, each, 1), { operations: noOperations(), puts: {}, statements: {} });
}

const NO_ROWS = { runs: 0, read: 0, written: 0 };

/** Bytes put into the bucket. */
export function bytesOf({ puts }: Pick<Counts, "puts">): number {
  return Object.values(puts).reduce((sum, { bytes }) => sum + bytes, 0);
}

function combined(a: Counts, b: Counts, sign: 1 | -1): Counts {
  const operations = noOperations();
  for (const { operation, count } of priced(a.operations))
    operations[operation] = count + sign * b.operations[operation];
  const puts: Counts["puts"] = {};
  for (const kind of new Set([...Object.keys(a.puts), ...Object.keys(b.puts)])) {
    const objects = (a.puts[kind]?.objects ?? 0) + sign * (b.puts[kind]?.objects ?? 0);
    if (objects > 0) puts[kind] = { objects, bytes: (a.puts[kind]?.bytes ?? 0) + sign * (b.puts[kind]?.bytes ?? 0) };
  }
  const statements: Counts["statements"] = {};
  for (const name of new Set([...Object.keys(a.statements), ...Object.keys(b.statements)])) {
    const [of, less] = [a.statements[name] ?? NO_ROWS, b.statements[name] ?? NO_ROWS];
    const runs = of.runs + sign * less.runs;
    if (runs > 0)
      statements[name] = { runs, read: of.read + sign * less.read, written: of.written + sign * less.written };
  }
  return { operations, puts, statements };
}

/** Without CPU. */
export function dollarsOf(operations: Readonly<Operations>): number {
  return priced(operations).reduce((sum, { dollars }) => sum + dollars, 0);
}

export function cpuDollars(milliseconds: number): number {
  return milliseconds * CPU_MILLISECOND_PRICE;
}

/** What an hour may not take more of at the day's end than at its beginning. */
export interface HourFigures {
  readonly cpuMs: number;
  readonly r2Operations: number;
  readonly d1RowsWritten: number;
  readonly d1RowsRead: number;
  readonly bytesWritten: number;
}

export function figuresOf(usage: Usage): HourFigures {
  const counts = total(usage);
  const { operations } = counts;
  return {
    cpuMs: usage.cpuMs,
    r2Operations: operations.bucketClassA + operations.bucketClassB,
    d1RowsWritten: operations.databaseRowsWritten,
    d1RowsRead: operations.databaseRowsRead,
    bytesWritten: bytesOf(counts),
  };
}
