/** What `sluice doctor` makes of its checks: a finding each, whatever a check throws. Pure but for the checks. */

export interface Finding {
  readonly name: string;
  /** `warning`: works, or matters to some tasks only. */
  readonly state: "ok" | "warning" | "wrong" | "skipped";
  readonly seen: string;
  /** What to do; empty when there is nothing. */
  readonly advice: string;
}

export type Verdict = Omit<Finding, "name">;

export interface Check {
  readonly name: string;
  /** What a check that throws has found: usually something that is not installed or does not compile. */
  readonly adviceOnError: string;
  run(): Verdict | Promise<Verdict>;
}

export const ok = (seen: string): Verdict => ({ state: "ok", seen, advice: "" });
export const wrong = (seen: string, advice: string): Verdict => ({ state: "wrong", seen, advice });
export const warning = (seen: string, advice: string): Verdict => ({ state: "warning", seen, advice });
export const skipped = (seen: string): Verdict => ({ state: "skipped", seen, advice: "" });

/** One finding per check, in order; checks do not depend on each other. */
export async function* examine(checks: readonly Check[]): AsyncGenerator<Finding> {
  for (const { name, adviceOnError, run } of checks) {
    try {
      yield { name, ...(await run()) };
    } catch (error) {
      const seen = error instanceof Error ? error.message : String(error);
      yield { name, ...wrong(seen, adviceOnError) };
    }
  }
}

const MARKS = { ok: "ok", warning: "look", wrong: "WRONG", skipped: "-" } as const;

/** A line for what was seen, and one for what to do. */
export function renderFinding({ name, state, seen, advice }: Finding): string {
  const lines = seen.trim().split("\n");
  const shown = lines.length > 8 ? [...lines.slice(0, 8), `(and ${lines.length - 8} lines more)`] : lines;
  const text = `${MARKS[state].padEnd(6)} ${name.padEnd(16)} ${shown.join(`\n${" ".repeat(24)}`)}`;
  return advice === "" ? text : `${text}\n${" ".repeat(24)}-> ${advice}`;
}
