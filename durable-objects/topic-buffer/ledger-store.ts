/** The running totals of a shard's events in its SQLite (`schema.ts`), and which of them D1 has. */

export interface LedgerLine {
  readonly hour: string;
  readonly detail: string;
  readonly events: number;
}

export class LedgerStore {
  readonly #sql: Pick<SqlStorage, "exec">;

  constructor(sql: Pick<SqlStorage, "exec">) {
    this.#sql = sql;
  }

  /** Adds events to the totals; a changed total is unpublished again. To be called in the transaction that notes the messages. */
  count(lines: readonly LedgerLine[]): void {
    for (const { hour, detail, events } of lines) {
      this.#sql.exec(
        "INSERT INTO ledger (hour, detail, events) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events",
        hour,
        detail,
        events,
      );
    }
  }

  /** Totals that D1 does not have yet. */
  unpublished(): LedgerLine[] {
    return this.#sql
      .exec<{ hour: string; detail: string; events: number }>(
        "SELECT hour, detail, events FROM ledger WHERE published <> events",
      )
      .toArray();
  }

  /** Notes what D1 now has; a total that grew meanwhile stays unpublished. */
  markPublished(lines: readonly LedgerLine[]): void {
    for (const { hour, detail, events } of lines) {
      this.#sql.exec("UPDATE ledger SET published = ? WHERE hour = ? AND detail = ?", events, hour, detail);
    }
  }
}
