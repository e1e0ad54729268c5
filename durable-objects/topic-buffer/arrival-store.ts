/** The arrivals of a shard in its SQLite: one row an hour, whatever the number of gateways. */
import * as z from "zod";
import type { ArrivalLine } from "../../sql/statements/arrivals.ts";
import { type HourArrivals, NO_ARRIVALS } from "./arrivals.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS arrivals (hour TEXT PRIMARY KEY, messages INTEGER NOT NULL, unnumbered INTEGER NOT NULL, instances TEXT NOT NULL, published INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`;

/** Bytes told to D1 at once, a bound parameter of at most 2 MB, unless one hour has more (`MAX_INSTANCES`, `MAX_RANGES`): after a long outage the rest follows with the next flushes. */
const PUBLISHED_AT_ONCE = 500_000;

const count = z.int();
const ranges = z.array(z.tuple([count, count]));
const stored: z.ZodType<HourArrivals["instances"]> = z.record(
  z.string(),
  z.union([z.tuple([count, count, count]), z.tuple([count, count, count, ranges])]),
);

export class ArrivalStore {
  readonly #sql: Pick<SqlStorage, "exec">;

  constructor(sql: Pick<SqlStorage, "exec">) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  load(hour: string): HourArrivals {
    const row = this.#sql
      .exec<{ messages: number; unnumbered: number; instances: string }>(
        "SELECT messages, unnumbered, instances FROM arrivals WHERE hour = ?",
        hour,
      )
      .toArray()[0];
    if (row === undefined) return NO_ARRIVALS;
    return { messages: row.messages, unnumbered: row.unnumbered, instances: stored.parse(JSON.parse(row.instances)) };
  }

  /** To be called in the transaction that notes the messages. */
  save(hour: string, { messages, unnumbered, instances }: HourArrivals): void {
    this.#sql.exec(
      `INSERT INTO arrivals (hour, messages, unnumbered, instances) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET messages = excluded.messages, unnumbered = excluded.unnumbered, instances = excluded.instances`,
      hour,
      messages,
      unnumbered,
      JSON.stringify(instances),
    );
  }

  /** Hours that D1 does not have as they are, the oldest first. */
  unpublished(): ArrivalLine[] {
    const lines: ArrivalLine[] = [];
    let bytes = 0;
    for (const line of this.#sql.exec<{ hour: string; messages: number; unnumbered: number; instances: string }>(
      "SELECT hour, messages, unnumbered, instances FROM arrivals WHERE published <> messages ORDER BY hour",
    )) {
      bytes += line.instances.length;
      if (lines.length > 0 && bytes > PUBLISHED_AT_ONCE) break;
      lines.push(line);
    }
    return lines;
  }

  /** Notes what D1 now has; an hour that grew meanwhile stays unpublished. */
  markPublished(lines: readonly ArrivalLine[]): void {
    for (const { hour, messages } of lines) {
      this.#sql.exec("UPDATE arrivals SET published = ? WHERE hour = ?", messages, hour);
    }
  }

  /** Drops published hours before this one, in which nothing can be noted any more. */
  forgetBefore(hour: string): void {
    this.#sql.exec("DELETE FROM arrivals WHERE hour < ? AND published = messages", hour);
  }
}
