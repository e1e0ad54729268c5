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
  return [...causes.values()].reduce((sum, counts) => combined(sum, counts, 1), {
    operations: noOperations(),
    bytesWritten: 0,
  });
}

function combined(a: Counts, b: Counts, sign: 1 | -1): Counts {
  const operations = noOperations();
  for (const { operation, count } of priced(a.operations))
    operations[operation] = count + sign * b.operations[operation];
  return { operations, bytesWritten: a.bytesWritten + sign * b.bytesWritten };
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
  const { operations, bytesWritten } = total(usage);
  return {
    cpuMs: usage.cpuMs,
    r2Operations: operations.bucketClassA + operations.bucketClassB,
    d1RowsWritten: operations.databaseRowsWritten,
    d1RowsRead: operations.databaseRowsRead,
    bytesWritten,
  };
}
