/** A benchmark: explains itself, measures in one run what it compares, and ends with one line of JSON. */
export interface Bench {
  /** What is measured, how, and against what. */
  readonly explanation: string;
  /** `args`: what follows the benchmark's name on the command line. */
  run(log: (line: string) => void, args: readonly string[]): Promise<BenchResult>;
}

export interface BenchResult {
  /** What was measured, relative to the baseline of the same run. */
  readonly ratio: number;
  readonly budget: number;
  readonly ok: boolean;
  readonly [figure: string]: number | boolean | string;
}

/** The middle of several measurements: one disturbed by the machine does not count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
