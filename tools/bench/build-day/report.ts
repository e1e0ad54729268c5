/** What a day's spans say, in lines and in the figures that have budgets. */
import { priced } from "../../prices.ts";
import { BUSY_EVENTS, type BusyDay } from "./busy-day.ts";
import { cpuDollars, dollarsOf, figuresOf, type HourFigures, total, totalOf, type Usage } from "./usage.ts";

type Log = (line: string) => void;

const FIGURES: readonly (keyof HourFigures)[] = [
  "cpuMs",
  "r2Operations",
  "d1RowsWritten",
  "d1RowsRead",
  "bytesWritten",
];

/** Of all figures of an hour the one that grew most from the first to the last. */
export function growthOf({ hours }: BusyDay, log: Log): number {
  const [first, last] = [hours[0], hours.at(-1)];
  if (first === undefined || last === undefined) throw new Error("a day without hours");
  const [before, after] = [figuresOf(first.usage), figuresOf(last.usage)];
  const ratios = FIGURES.map((name) => {
    const ratio = after[name] / before[name];
    const figures = `hour ${first.hour + 1}: ${whole(before[name])}, hour ${last.hour + 1}: ${whole(after[name])}`;
    log(`${name.padEnd(16)} ${figures}, ${ratio.toFixed(2)} times`);
    return ratio;
  });
  return Math.max(...ratios);
}

/** Of a whole day, of which `hours` are taken as its mean. CPU is that of the hours which went through the gateway. */
export function dollarsPerMillion({ hours, closing }: BusyDay, log: Log): number {
  const sampled = hours.filter((hour) => hour.sampled);
  const cpuMs = mean(sampled.map(({ usage }) => usage.cpuMs));
  const operations = mean(hours.map(({ usage }) => dollarsOf(total(usage).operations)));
  const closed = dollarsOf(total(closing).operations) + cpuDollars(closing.cpuMs);
  const perMillion = (24 * (operations + cpuDollars(cpuMs)) + closed) / (BUSY_EVENTS / 1e6);
  const ofCpu = (24 * cpuDollars(cpuMs)) / (BUSY_EVENTS / 1e6);
  const microseconds = (24_000 * cpuMs) / BUSY_EVENTS;
  const share = `CPU $${ofCpu.toFixed(4)} (${microseconds.toFixed(1)} us an event)`;
  log(`a million events: $${perMillion.toFixed(4)}, of it ${share}, closing $${closed.toFixed(4)} a day`);
  return perMillion;
}

/** Of these hours, as dollars a day. */
export function dollarsADay(hours: readonly Usage[]): number {
  return 24 * mean(hours.map((usage) => dollarsOf(total(usage).operations) + cpuDollars(usage.cpuMs)));
}

/** Operations and dollars of each cause. */
export function reportCauses(title: string, spans: readonly Usage[], log: Log): void {
  log(title);
  for (const cause of [...new Set(spans.flatMap(({ causes }) => [...causes.keys()]))].sort()) {
    const own = spans.map(({ causes }) => ({ causes: new Map([...causes].filter(([name]) => name === cause)) }));
    const { operations } = totalOf(own);
    const told = priced(operations).filter(({ count }) => Math.round(count) > 0);
    const list = told.map(({ operation, count }) => `${operation} ${whole(count)}`).join(", ");
    log(`  ${cause.padEnd(24)} $${dollarsOf(operations).toFixed(5)}  ${list}`);
  }
  const puts = Object.entries(totalOf(spans).puts).sort(([, a], [, b]) => b.bytes - a.bytes);
  for (const [kind, { objects, bytes }] of puts)
    log(`  ${kind.padEnd(24)} ${(bytes / 1e6).toFixed(2)} MB in ${objects} objects`);
}

/** Rows that statements wrote, those that wrote most first, by cause. */
export function reportStatements(title: string, spans: readonly Usage[], log: Log): void {
  log(title);
  const rows = spans
    .flatMap(({ causes }) => [...causes])
    .flatMap(([cause, { statements }]) =>
      Object.entries(statements).map(([name, own]) => ({ name: `${cause.padEnd(20)} ${name}`, ...own })),
    );
  const sums = [...Map.groupBy(rows, ({ name }) => name)].map(([name, own]) => ({
    name,
    runs: own.reduce((sum, { runs }) => sum + runs, 0),
    read: own.reduce((sum, { read }) => sum + read, 0),
    written: own.reduce((sum, { written }) => sum + written, 0),
  }));
  for (const { name, runs, read, written } of sums.sort((a, b) => b.written - a.written || b.read - a.read))
    log(
      `  ${whole(written).padStart(9)} written ${whole(read).padStart(11)} read ${whole(runs).padStart(8)} times  ${name}`,
    );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
