/** The outbox in a TopicBuffer's SQLite: the files of a flush that stand in R2, until D1 has registered them. */
import * as z from "zod";
import { type BronzeFile, bronzeFileSchema } from "../../sql/statements/bronze.ts";

/** Of the files that a flush's row tells: well under the 2 MB of a row, and hardly ever more than a kilobyte. */
const ROW_BYTES = 1_000_000;

export class OutboxStore {
  readonly #sql: Pick<SqlStorage, "exec">;

  constructor(sql: Pick<SqlStorage, "exec">) {
    this.#sql = sql;
  }

  /** Notes that the files of a flush stand. To be called in a transaction. What one row cannot hold, since the flush has thousands of dates, has rows of its own. */
  put(seq: number, files: readonly BronzeFile[]): void {
    let room = ROW_BYTES;
    const inRow: BronzeFile[] = [];
    const apart: string[] = [];
    for (const file of files) {
      const text = JSON.stringify(file);
      room -= text.length;
      if (room >= 0) inRow.push(file);
      else apart.push(text);
    }
    this.#sql.exec("DELETE FROM flush_files WHERE seq = ?", seq);
    for (const [number, file] of apart.entries()) {
      this.#sql.exec("INSERT INTO flush_files (seq, number, file) VALUES (?, ?, ?)", seq, number, file);
    }
    this.#sql.exec(
      "UPDATE flushes SET step = 'written', attempts = 0, not_before = 0, files = ? WHERE seq = ?",
      JSON.stringify(inRow),
      seq,
    );
  }

  /** The files of a written flush: the outbox that registration retries from. */
  files(seq: number): BronzeFile[] {
    const { files } = this.#sql.exec<{ files: string | null }>("SELECT files FROM flushes WHERE seq = ?", seq).one();
    if (files === null) throw new Error(`flush ${seq} has no files to register`);
    const apart = this.#sql
      .exec<{ file: string }>("SELECT file FROM flush_files WHERE seq = ? ORDER BY number", seq)
      .toArray();
    return [
      ...z.array(bronzeFileSchema).parse(JSON.parse(files)),
      ...apart.map(({ file }) => bronzeFileSchema.parse(JSON.parse(file))),
    ];
  }
}
