/** Cron triggers, which Miniflare never fires by itself: each expression fires on its schedule, and never beside itself. */
import { Cron } from "croner";

/** When each cron fires next: milliseconds since the epoch, after `now`; undefined for never again. */
export type Schedule = (now: number) => number | undefined;

/** The schedule of a cron expression as Cloudflare reads it: five fields, UTC, weekday 1 is Sunday. Throws TypeError. */
export function cronSchedule(expression: string): Schedule {
  const cron = new Cron(expression, { mode: "5-part", timezone: "UTC", alternativeWeekdays: true, paused: true });
  return (now) => cron.nextRun(new Date(now))?.getTime();
}

/** Every `seconds`, counted from the epoch. */
export function everySeconds(seconds: number): Schedule {
  const interval = seconds * 1000;
  return (now) => (Math.floor(now / interval) + 1) * interval;
}

export interface CronLoop {
  /** Fires no more, and waits until the run under way, if any, is over. */
  stop(): Promise<void>;
}

/** A longer timer would overflow setTimeout's 32 bits and fire at once. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/** Calls `fire` on schedule. A time that comes while a run is still under way is skipped. `fire` handles its own errors. */
export function startCronLoop(schedule: Schedule, fire: () => Promise<void>, now: () => number = Date.now): CronLoop {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;

  function wait(after: number): void {
    const next = schedule(after);
    if (next === undefined || stopped) return;
    const delay = next - now();
    timer = setTimeout(() => (delay > LONGEST_WAIT_MS ? wait(after) : run(next)), Math.min(delay, LONGEST_WAIT_MS));
    timer.unref();
  }

  function run(due: number): void {
    running ??= fire().finally(() => {
      running = undefined;
    });
    // A timer may ring a moment early: without `due` the same time would be found again.
    wait(Math.max(now(), due));
  }

  wait(now());
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
