/** A day of 12,000,000 events of one topic, an hour after the other. */
import { createProgressBar } from "../../progress.ts";
import { writeLedgerHistory } from "./ledger-history.ts";
import { BUSY_TOPIC } from "./project.ts";
import { busyBodies, EVENTS_PER_REQUEST, type RequestBody } from "./traffic.ts";
import { between, figuresOf, type Usage } from "./usage.ts";
import type { VirtualPlatform } from "./virtual-platform.ts";

export const BUSY_EVENTS = 12_000_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** What is sent is sent at once for so long: the queue's batches wait as long. */
const WINDOW_MS = 10_000;
const REQUEST_EVERY_MS = (24 * HOUR_MS * EVENTS_PER_REQUEST) / BUSY_EVENTS;
const CONNECTIONS = 4;
/** The day closes an hour after its end, and what reads it follows. */
export const CLOSING_HOURS = 3;

export interface BusyDay {
  readonly hours: readonly HourOfDay[];
  /** Behind the last. */
  readonly closing: Usage;
  /** Of the whole run, the hour before the day included. */
  readonly sent: number;
}

export interface HourOfDay {
  readonly hour: number;
  readonly sampled: boolean;
  readonly usage: Usage;
}

/**
 * Runs the hours `0` to `hours - 1` of the day that begins at `start`, after the last one of the day before, and what closes it. Those
 * of `sampled` go through the gateway; the others repeat a minute of its messages.
 */
export async function busyDay(
  platform: VirtualPlatform,
  start: number,
  hours: number,
  sampled: ReadonlySet<number>,
  log: (line: string) => void,
): Promise<BusyDay> {
  const day = new Day(platform, start);
  const bar = createProgressBar("day", (1 + hours + CLOSING_HOURS) * 60);
  const progress = (minute: number) => bar.update(60 + minute, `hour ${Math.floor(minute / 60) + 1}`);
  await day.keepMinute(-61);
  for (let minute = -60; minute < 0; minute++) {
    await day.repeatMinute(minute);
    progress(minute + 1);
  }
  await writeLedgerHistory(platform, start);
  const worked: HourOfDay[] = [];
  let before = await platform.usage();
  for (let hour = 0; hour < hours; hour++) {
    if (hour === 0) await day.keepMinute(0);
    for (let minute = hour * 60 + (hour === 0 ? 1 : 0); minute < (hour + 1) * 60; minute++) {
      await (sampled.has(hour) ? day.sendMinute(minute) : day.repeatMinute(minute));
      progress(minute + 1);
    }
    const now = await platform.usage();
    const done = { hour, sampled: sampled.has(hour), usage: between(before, now) };
    worked.push(done);
    reportHour(done, log);
    before = now;
  }
  for (let minutes = 10; minutes <= CLOSING_HOURS * 60; minutes += 10) {
    await platform.run(start + hours * HOUR_MS + minutes * MINUTE_MS);
    progress(hours * 60 + minutes);
  }
  bar.finish();
  return { hours: worked, closing: between(before, await platform.usage()), sent: day.sent };
}

class Day {
  sent = 0;
  readonly #platform: VirtualPlatform;
  readonly #start: number;
  readonly #bodies = busyBodies(requestsUntil(MINUTE_MS));
  #kept = 0;

  constructor(platform: VirtualPlatform, start: number) {
    this.#platform = platform;
    this.#start = start;
  }

  /** Minutes count from the day's beginning, those before it below zero. */
  async sendMinute(minute: number): Promise<void> {
    const from = this.#start + minute * MINUTE_MS;
    for (let at = 0; at < MINUTE_MS; at += WINDOW_MS) {
      await this.#platform.run(from + at);
      const bodies = this.#bodies.slice(requestsUntil(at), requestsUntil(at + WINDOW_MS));
      await this.#send(bodies, minute, from + at);
    }
    await this.#platform.run(from + MINUTE_MS);
  }

  /** Sends a minute whose messages are those that `repeatMinute` repeats. */
  async keepMinute(minute: number): Promise<void> {
    await this.#platform.run(this.#start + minute * MINUTE_MS);
    await this.#platform.keep(BUSY_TOPIC, true);
    const before = this.sent;
    await this.sendMinute(minute);
    await this.#platform.keep(BUSY_TOPIC, false);
    this.#kept = this.sent - before;
  }

  async repeatMinute(minute: number): Promise<void> {
    await this.#platform.repeat(BUSY_TOPIC, slotOf(minute), this.#start + (minute + 1) * MINUTE_MS);
    this.sent += this.#kept;
  }

  async #send(bodies: readonly RequestBody[], minute: number, at: number): Promise<void> {
    const waiting = bodies.map((body) => body.stamped(slotOf(minute), at));
    this.sent += waiting.length * EVENTS_PER_REQUEST;
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) {
          await this.#platform.post(BUSY_TOPIC, body);
        }
      }),
    );
  }
}

/** Never below zero, for the hour before the day has slots of its own. */
function slotOf(minute: number): number {
  return minute + 100;
}

/** How many requests of a minute are sent before so many milliseconds of it. */
function requestsUntil(ms: number): number {
  return Math.round(ms / REQUEST_EVERY_MS);
}

function reportHour({ hour, sampled, usage }: HourOfDay, log: (line: string) => void): void {
  const { cpuMs, r2Operations, d1RowsWritten, d1RowsRead, bytesWritten } = figuresOf(usage);
  const bucket = `${r2Operations} R2 operations, ${(bytesWritten / 1e6).toFixed(1)} MB written`;
  const rows = `${d1RowsWritten} D1 rows written, ${d1RowsRead} read`;
  log(
    `hour ${hour + 1}${sampled ? ", through the gateway" : ""}: ${Math.round(cpuMs / 1_000)} s of CPU, ${bucket}, ${rows}`,
  );
}
