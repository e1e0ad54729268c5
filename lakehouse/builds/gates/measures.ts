/** What the checks of a partition measured so far: numbers that increments add to, kept as JSON between two steps. */
import * as z from "zod";
import type { LibraryCheck } from "../../../contracts/contract.ts";
import { type CheckResult, FAILING_ROWS, holds } from "./gate.ts";

/** Of one check: rows that count, of all rows that were looked at. */
const tally = z.object({ rows: z.int().nonnegative(), of: z.int().nonnegative() });

export const measuresSchema = z.record(z.string(), tally);
/** By the layer and name of the check. */
export type Measures = z.infer<typeof measuresSchema>;

export function measureName({ layer, name }: Pick<LibraryCheck, "layer" | "name">): string {
  return `${layer}/${name}`;
}

/** One check over the rows of a step, and what was measured before. */
export class RunningMeasure {
  readonly check: LibraryCheck;
  #rows: number;
  #of: number;
  readonly #failing: number[] = [];

  constructor(check: LibraryCheck, before: Measures) {
    this.check = check;
    const known = before[measureName(check)];
    this.#rows = known?.rows ?? 0;
    this.#of = known?.of ?? 0;
  }

  /** Adds `of` rows, of which `failing` count. */
  add(of: number, failing: number): void {
    this.#of += of;
    this.#rows += this.check.metric === "rowCount" ? of : failing;
  }

  /** Names a failing row by its number; the first twenty are kept. */
  name(number: number | undefined): void {
    if (number !== undefined && this.#failing.length < FAILING_ROWS) this.#failing.push(number);
  }

  get tally(): Measures[string] {
    return { rows: this.#rows, of: this.#of };
  }

  /** The failing rows are the step's own. */
  result(): CheckResult {
    const measured = measuredOf(this.check, this.tally);
    return { check: this.check, measured, passed: holds(this.check.bound, measured), failingRows: this.#failing };
  }
}

/** The number that a check compares with its bound; no percentage of an empty table counts. */
export function measuredOf({ unit }: LibraryCheck, { rows, of }: Measures[string]): number {
  if (unit === "rows") return rows;
  return of === 0 ? 0 : (rows * 100) / of;
}
