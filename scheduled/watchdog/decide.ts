/** What the watchdog makes of a shard's row and of what its buffer answers. Pure. */
import { type Pressure, type PressureLimits, pressureOf } from "../../durable-objects/topic-buffer/limits.ts";
import type { Backlog, ShardRow } from "../../sql/statements/shards.ts";

/**
 * Whether a buffer should be asked: it reported no flush for twice its flush age. An alarm that is lost costs at most that and a
 * tick. A buffer that is idle is asked at every tick: nobody else would know of an append that came since. So is one under
 * pressure, whose producers wait for better news.
 */
export function isSuspect(row: ShardRow, flushAgeMs: number, limits: PressureLimits, now: number): boolean {
  if (pressureOf(backlogOf(row), limits, now) !== "none") return true;
  const heard = Date.parse(row.oldest_unflushed ?? row.last_flush_at ?? row.first_seen);
  return !(now - heard < 2 * flushAgeMs);
}

/** What a row says of its buffer. */
export function backlogOf(row: ShardRow): Backlog {
  const oldestAt = row.oldest_unflushed === null ? null : Date.parse(row.oldest_unflushed);
  return { rows: row.buffered_rows, bytes: row.buffered_bytes, oldestAt };
}

/** Whether a row says something else than the buffer does, so that it is worth a write. */
export function differs(row: ShardRow, backlog: Backlog): boolean {
  const known = backlogOf(row);
  return known.bytes !== backlog.bytes || known.oldestAt !== backlog.oldestAt;
}

/** The worst pressure of each topic. */
export class TopicPressure {
  readonly #limits: PressureLimits;
  readonly #now: number;
  readonly #worst = new Map<
    string,
    { readonly pressure: Pressure; readonly row: ShardRow; readonly backlog: Backlog }
  >();

  constructor(limits: PressureLimits, now: number) {
    this.#limits = limits;
    this.#now = now;
  }

  add(row: ShardRow, backlog: Backlog): void {
    const pressure = pressureOf(backlog, this.#limits, this.#now);
    const known = this.#worst.get(row.topic)?.pressure ?? "none";
    if (pressure !== "none" && known !== "far_behind") this.#worst.set(row.topic, { pressure, row, backlog });
  }

  /** A topic's buffer that is far behind, one each. */
  farBehind(): { readonly row: ShardRow; readonly backlog: Backlog }[] {
    return [...this.#worst.values()].filter(({ pressure }) => pressure === "far_behind");
  }

  /** Topics that must not be let go yet. */
  held(): string[] {
    return [...this.#worst.keys()];
  }
}
