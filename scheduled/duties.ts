/** What the cron does: duties, each by itself, so that one which fails does not keep the others from their work. */

export interface Duty {
  /** As the log names it. */
  readonly name: string;
  /** The tick's minute of the day must be a multiple: 1 for every tick, 60 for once an hour. */
  readonly everyMinutes: number;
  /** `now`: the tick's time in milliseconds since the epoch. May be run again for the same tick. What it returns is logged. */
  run(now: number): Promise<Readonly<Record<string, unknown>>>;
}

export type DutyLog = (event: Readonly<Record<string, unknown>>) => void;

const MINUTE_MS = 60_000;

/** Whether a duty has its turn in the tick of this time. */
export function isDue(duty: Pick<Duty, "everyMinutes">, now: number): boolean {
  return Math.floor(now / MINUTE_MS) % duty.everyMinutes === 0;
}

/** Runs what is due, one after another. Throws an AggregateError of all that failed once the rest is done, so that the tick counts as failed. */
export async function runDuties(duties: readonly Duty[], now: number, log: DutyLog): Promise<void> {
  const failures: Error[] = [];
  for (const duty of duties.filter((each) => isDue(each, now))) {
    const event: Record<string, unknown> = { event: "duty", duty: duty.name };
    const started = Date.now();
    try {
      Object.assign(event, await duty.run(now));
    } catch (error) {
      event["error"] = String(error);
      failures.push(new Error(`duty ${duty.name} failed`, { cause: error }));
    } finally {
      event["ms"] = Date.now() - started;
      log(event);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} duties of the tick failed`);
}
