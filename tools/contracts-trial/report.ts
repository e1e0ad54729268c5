/** The counts of a trial: how many stored events would pass or fail, and why. Ids are listed, values never. */
import type { EventError } from "../../contracts/verdict.ts";

export interface FailureGroup {
  readonly error_type: string;
  readonly rule: string | null;
  /** With `*` for the position in a list. */
  readonly pointer: string;
  /** Events with this failure; one event may have several. */
  readonly events: number;
  /** Up to five event ids. */
  readonly examples: readonly string[];
}

export interface TrialReport {
  readonly topic: string;
  readonly contract_version: string;
  /** The period's start, ISO 8601. */
  readonly since: string;
  /** Events in bronze: all were accepted once. */
  readonly accepted: { readonly total: number; readonly pass: number; readonly new_failures: number };
  readonly dead_letters: {
    readonly total: number;
    readonly newly_passing: number;
    readonly still_failing: number;
    /** Their payload is sealed, is no JSON, or was refused for a value that is stored masked. */
    readonly not_judged: number;
  };
  readonly failures: readonly FailureGroup[];
  readonly newly_passing_examples: readonly string[];
  /** Rules that read masked fields. */
  readonly rules_not_judged: readonly string[];
}

export type DeadLetterOutcome = "newly_passing" | "still_failing" | "not_judged";

export interface TrialTally {
  accepted(eventId: string | null, errors: readonly EventError[]): void;
  deadLetter(eventId: string | null, outcome: DeadLetterOutcome): void;
  report(head: Pick<TrialReport, "topic" | "contract_version" | "since" | "rules_not_judged">): TrialReport;
}

const MAX_EXAMPLES = 5;

export function createTrialTally(): TrialTally {
  const counts = { total: 0, pass: 0, new_failures: 0 };
  const letters = { total: 0, newly_passing: 0, still_failing: 0, not_judged: 0 };
  const passing: string[] = [];
  const groups = new Map<string, Omit<FailureGroup, "events" | "examples"> & { events: number; examples: string[] }>();
  return {
    accepted(eventId, errors) {
      counts.total++;
      if (errors.length === 0) {
        counts.pass++;
        return;
      }
      counts.new_failures++;
      const seen = new Set<string>();
      for (const { error_type, rule, pointer: exact } of errors) {
        const pointer = exact.replaceAll(/\/\d+(?=\/|$)/g, "/*");
        const key = JSON.stringify([error_type, rule, pointer]);
        if (seen.has(key)) continue;
        seen.add(key);
        const group = groups.get(key) ?? { error_type, rule, pointer, events: 0, examples: [] };
        groups.set(key, group);
        group.events++;
        if (eventId !== null && group.examples.length < MAX_EXAMPLES) group.examples.push(eventId);
      }
    },
    deadLetter(eventId, outcome) {
      letters.total++;
      letters[outcome]++;
      if (outcome === "newly_passing" && eventId !== null && passing.length < MAX_EXAMPLES) passing.push(eventId);
    },
    report: (head) => ({
      ...head,
      accepted: { ...counts },
      dead_letters: { ...letters },
      failures: [...groups.values()].sort((a, b) => b.events - a.events),
      newly_passing_examples: passing,
    }),
  };
}

/** The lines of `sluice contracts try`. */
export function renderTrial(report: TrialReport): string[] {
  const { accepted, dead_letters: letters } = report;
  const examples = (ids: readonly string[]) => (ids.length === 0 ? "" : `  e.g. ${ids.join(", ")}`);
  return [
    `${report.topic} since ${report.since}, judged by contract version ${report.contract_version}`,
    `  accepted events   ${accepted.total}: ${accepted.pass} pass, ${accepted.new_failures} new failures`,
    ...report.failures.map(
      ({ error_type, rule, pointer, events, examples: ids }) =>
        `    ${String(events).padStart(7)}  ${error_type} ${rule ?? pointer}${examples(ids)}`,
    ),
    `  dead letters      ${letters.total}: ${letters.newly_passing} would pass now, ${letters.still_failing} still fail, ${letters.not_judged} cannot be judged${examples(report.newly_passing_examples)}`,
    ...(report.rules_not_judged.length === 0
      ? []
      : [`  not judged, because they read masked fields: ${report.rules_not_judged.join(", ")}`]),
  ];
}
