/** A clock that stands still until it is set: the isolate's own, and D1's as statements and triggers see it. */

const present = Date.now;
let nowMs = 0;

/** Real milliseconds, for what is timed. */
export const realNow: () => number = present;

export function virtualNow(): number {
  return nowMs;
}

/** Puts the isolate's clock in place of the runtime's. */
export function installClock(): void {
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [nowMs] : args, newTarget),
    get: (target, property, receiver) => (property === "now" ? virtualNow : Reflect.get(target, property, receiver)),
  });
}

export function setClock(ms: number): void {
  nowMs = ms;
}

/** A statement at the clock's time: SQLite has the machine's, and takes no other. */
export function atVirtualTime(sql: string): string {
  return sql
    .replaceAll("unixepoch('subsec')", `(${nowMs} / 1000.0)`)
    .replaceAll("'now'", `'${new Date(nowMs).toISOString()}'`);
}

/** Where triggers read the time: `clockStatements` make them, `tellClock` sets it. A row read for each that asks. */
export const CLOCK_TABLE = "CREATE TABLE bench_clock (ms INTEGER NOT NULL, iso TEXT NOT NULL) STRICT";

/** A trigger that reads the table in place of the machine's time; undefined where it reads neither. */
export function withClockTable(trigger: string): string | undefined {
  const told = trigger
    .replaceAll("unixepoch('subsec')", "((SELECT ms FROM bench_clock) / 1000.0)")
    .replaceAll("'now'", "(SELECT iso FROM bench_clock)");
  return told === trigger ? undefined : told;
}

export async function tellClock(db: D1Database): Promise<void> {
  await db.prepare("UPDATE bench_clock SET ms = ?, iso = ?").bind(nowMs, new Date(nowMs).toISOString()).run();
}
