/**
 * The running totals of a shard's events in its SQLite, and which of them D1 has. A total goes once D1 has it and its hour is long
 * over. Events of that hour may still come, such as a replay of old dead letters: they are a total of their own then, which D1 adds
 * to the first. So each total has an epoch, which D1 keeps beside the incarnation of the object.
 */
import { HOUR_MS, hourTextAt } from "../../schemas/hours.ts";
import { hasColumn } from "./schema.ts";

export interface LedgerLine {
  readonly hour: string;
  readonly detail: string;
  readonly events: number;
}

/** A total that D1 must learn. */
export interface LedgerTotal extends LedgerLine {
  /** 0 for the first total of an hour; a later one has a number that none before it had. */
  readonly epoch: number;
}

/** Hours whose totals are kept: late events cost D1 a row more, so it is as long as most of them take. */
const KEPT_HOURS = 48;

/** The hour before which published totals go. */
export function trimmedBefore(now: number): string {
  return hourTextAt(now - KEPT_HOURS * HOUR_MS);
}

/** Of one statement: a replay of old dead letters may bring tens of thousands, and a parameter of D1 has 2 MB at most. */
const TOTALS_AT_ONCE = 5_000;

/** Totals cut to what one statement takes. */
export function portionsOf(totals: readonly LedgerTotal[]): LedgerTotal[][] {
  const count = Math.ceil(totals.length / TOTALS_AT_ONCE);
  return Array.from({ length: count }, (_, n) => totals.slice(n * TOTALS_AT_ONCE, (n + 1) * TOTALS_AT_ONCE));
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS ledger (hour TEXT NOT NULL, detail TEXT NOT NULL, events INTEGER NOT NULL, published INTEGER NOT NULL DEFAULT 0, epoch INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (hour, detail)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ledger_trim (one INTEGER PRIMARY KEY CHECK (one = 1), before TEXT NOT NULL, epoch INTEGER NOT NULL);
`;

export class LedgerStore {
  readonly #sql: Pick<SqlStorage, "exec">;

  constructor(sql: Pick<SqlStorage, "exec">) {
    this.#sql = sql;
    sql.exec(SCHEMA);
    // An object from when totals were kept for ever.
    if (!hasColumn(sql, "ledger", "epoch")) sql.exec("ALTER TABLE ledger ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0");
  }

  /** Adds events to the totals; a changed total is unpublished again. To be called in the transaction that notes the messages. */
  count(lines: readonly LedgerLine[]): void {
    for (const { hour, detail, events } of lines) {
      this.#sql.exec(
        `INSERT INTO ledger (hour, detail, events, epoch)
         VALUES (?1, ?2, ?3, coalesce((SELECT epoch FROM ledger_trim WHERE before > ?1), 0))
         ON CONFLICT DO UPDATE SET events = events + excluded.events`,
        hour,
        detail,
        events,
      );
    }
  }

  /** Totals that D1 does not have yet. */
  unpublished(): LedgerTotal[] {
    return this.#sql
      .exec<{ hour: string; detail: string; events: number; epoch: number }>(
        "SELECT hour, detail, events, epoch FROM ledger WHERE published <> events",
      )
      .toArray();
  }

  /** Notes what D1 now has; a total that grew meanwhile stays unpublished. */
  markPublished(totals: readonly LedgerTotal[]): void {
    for (const { hour, detail, events, epoch } of totals) {
      this.#sql.exec(
        "UPDATE ledger SET published = ? WHERE hour = ? AND detail = ? AND epoch = ?",
        ...[events, hour, detail, epoch],
      );
    }
  }

  /** Drops published totals of hours before this one. What is counted there later gets an epoch that no dropped total had. */
  forgetBefore(hour: string): void {
    const dropped = this.#sql.exec("DELETE FROM ledger WHERE hour < ? AND published = events RETURNING 1", hour);
    if (dropped.toArray().length === 0) return;
    this.#sql.exec(
      `INSERT INTO ledger_trim VALUES (1, ?, 1)
       ON CONFLICT DO UPDATE SET before = max(before, excluded.before), epoch = epoch + 1`,
      hour,
    );
  }
}
