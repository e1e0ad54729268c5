/** The layouts of flushes in a TopicBuffer's SQLite: stored before the first put of a flush, gone with it. */
import { type FlushLayout, readLayout, writeLayout } from "../../lakehouse/bronze/layout.ts";

/** Characters in one row: well under the 2 MB of a row. Only a flush of a hundred thousand dates has more, and another row. */
const PIECE = 1_000_000;

export class LayoutStore {
  readonly #sql: Pick<SqlStorage, "exec">;

  constructor(sql: Pick<SqlStorage, "exec">) {
    this.#sql = sql;
  }

  /** Whether the deploy that froze the flush stored layouts. Where it did not, a retry lays out as that deploy did, since its files may stand. */
  isStored(seq: number): boolean {
    return (
      this.#sql.exec<{ stores: number }>("SELECT stores_layout AS stores FROM flushes WHERE seq = ?", seq).one()
        .stores === 1
    );
  }

  /** Undefined: nothing of the flush was put yet. */
  of(seq: number): FlushLayout | undefined {
    const { layout } = this.#sql.exec<{ layout: string | null }>("SELECT layout FROM flushes WHERE seq = ?", seq).one();
    if (layout === null) return undefined;
    const rest = this.#sql
      .exec<{ piece: string }>("SELECT piece FROM flush_layouts WHERE seq = ? ORDER BY number", seq)
      .toArray();
    return readLayout([layout, ...rest.map(({ piece }) => piece)].join(""));
  }

  /** To be called in a transaction. */
  keep(seq: number, layout: FlushLayout): void {
    const text = writeLayout(layout);
    this.drop(seq);
    this.#sql.exec("UPDATE flushes SET layout = ? WHERE seq = ?", text.slice(0, PIECE), seq);
    for (let number = 1; number * PIECE < text.length; number++) {
      const piece = text.slice(number * PIECE, (number + 1) * PIECE);
      this.#sql.exec("INSERT INTO flush_layouts (seq, number, piece) VALUES (?, ?, ?)", seq, number, piece);
    }
  }

  /** To be called in a transaction, and only while no object of the flush stands. */
  drop(seq: number): void {
    this.#sql.exec("UPDATE flushes SET layout = NULL WHERE seq = ? AND layout IS NOT NULL", seq);
    this.#sql.exec("DELETE FROM flush_layouts WHERE seq = ?", seq);
  }
}
