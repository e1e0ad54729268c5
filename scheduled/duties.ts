/**
 * What the cron does: duties, each by itself, so that one which fails does not keep the others from their work.
 *
 * A run of a duty is bounded. One that says that more is left is run again within the tick, and at every tick from then on, whatever its
 * own rhythm, until it has caught up: so a budget is what one run may cost, and never what a deployment may need. What stays behind
 * is written down, and an alert tells of it (`conditions/duty-backlogs.ts`).
 */

export interface Duty {
  /** As the log names it. */
  readonly name: string;
  /** The tick's minute of the day must be a multiple: 1 for every tick, 60 for once an hour. */
  readonly everyMinutes: number;
  /** Runs in one tick at most, where a run makes many requests: a tick may make 10,000 (PLATFORM, Limits). */
  readonly runsATick?: number;
  /**
   * One bounded portion. `now`: the tick's time in milliseconds since the epoch; `cursor`: what its last run said. May be run again
   * for the same tick and at once with another.
   */
  run(now: number, cursor: string | null): Promise<DutyReport>;
}

/** What a run did, as it is logged, and what is left. */
export type DutyReport = Readonly<Record<string, unknown>> & {
  /** `now`: another run goes on at once. `later`: it would find the same, or must wait. Absent: nothing is left. */
  readonly more?: "now" | "later";
  /** Where the next run must go on. */
  readonly cursor?: string;
};

export type DutyLog = (event: Readonly<Record<string, unknown>>) => void;

/** A duty that left work behind in an earlier tick. */
export interface LeftDuty {
  readonly duty: string;
  readonly cursor: string | null;
}

export interface TickDeps {
  readonly log: DutyLog;
  /** Milliseconds, of a clock that goes on while duties run. */
  clock(): number;
  /** What earlier ticks left. */
  left(): Promise<readonly LeftDuty[]>;
  /** Notes what this one left, and which duties left nothing. */
  note(left: readonly LeftDuty[], done: readonly string[]): Promise<void>;
}

const MINUTE_MS = 60_000;
/** A duty is not run again in a tick that has taken so long: the next one begins a minute after it. */
const TICK_MS = 40_000;
/** Nor once it has itself taken so long, so that the others come to theirs. */
const DUTY_MS = 15_000;
const RUNS_A_TICK = 20;

/** Whether a duty has its turn in the tick of this time. */
export function isDue(duty: Pick<Duty, "everyMinutes">, now: number): boolean {
  return Math.floor(now / MINUTE_MS) % duty.everyMinutes === 0;
}

/** Runs what is due or was left, one after another. Throws an AggregateError of all that failed once the rest is done, so that the tick counts as failed. */
export async function runDuties(duties: readonly Duty[], now: number, deps: TickDeps): Promise<void> {
  const failures: Error[] = [];
  const known = await leftBefore(deps);
  const left: LeftDuty[] = [];
  const done: string[] = [];
  const started = deps.clock();
  for (const duty of duties.filter((each) => isDue(each, now) || known.has(each.name))) {
    const before = known.get(duty.name);
    try {
      const report = await runWhileMore(duty, now, before?.cursor ?? null, deps, started + TICK_MS);
      if (report.more !== undefined) left.push({ duty: duty.name, cursor: report.cursor ?? null });
      else if (before !== undefined) done.push(duty.name);
    } catch (error) {
      failures.push(new Error(`duty ${duty.name} failed`, { cause: error }));
    }
  }
  if (left.length + done.length > 0) {
    await deps
      .note(left, done)
      .catch((error) => failures.push(new Error("what is left was not noted", { cause: error })));
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} duties of the tick failed`);
}

/** Runs a duty until nothing is left or its time is up; its last report. A line of the log a run. */
async function runWhileMore(
  duty: Duty,
  now: number,
  cursor: string | null,
  { log, clock }: Pick<TickDeps, "log" | "clock">,
  tickEnds: number,
): Promise<DutyReport> {
  const ends = Math.min(tickEnds, clock() + DUTY_MS);
  const { runsATick = RUNS_A_TICK } = duty;
  let from = cursor;
  for (let runs = 1; ; runs++) {
    const event: Record<string, unknown> = { event: "duty", duty: duty.name };
    const started = clock();
    let report: DutyReport;
    try {
      report = await duty.run(now, from);
      Object.assign(event, report);
    } catch (error) {
      event["error"] = String(error);
      throw error;
    } finally {
      event["ms"] = clock() - started;
      log(event);
    }
    if (report.more !== "now" || runs >= runsATick || clock() >= ends) return report;
    from = report.cursor ?? null;
  }
}

/** By name. A database that does not say makes duties keep their own rhythm. */
async function leftBefore({ left, log }: Pick<TickDeps, "left" | "log">): Promise<ReadonlyMap<string, LeftDuty>> {
  try {
    return new Map((await left()).map((each) => [each.duty, each]));
  } catch (error) {
    log({ event: "duties_left_unknown", error: String(error) });
    return new Map();
  }
}
