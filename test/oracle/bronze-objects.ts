/** Objects of bronze without Parquet: which rows stand where, by names. */
import type { BronzeFile } from "../../sql/statements/bronze.ts";
import type { BronzeInput } from "../../sql/statements/bronze-inputs.ts";

/** What stands in each object, as "registration/row" of the flush's file, by date. */
export class Objects {
  readonly #rows = new Map<string, string[]>();

  flush({ file, rows }: BronzeFile, registration: number): void {
    this.#rows.set(
      file,
      Array.from({ length: rows }, (_, row) => `${registration}/${row}`),
    );
  }

  /** As `lakehouse/upkeep/compaction/merge.ts` does: the inputs' rows one after another, date by date. */
  compact(file: string, inputs: readonly BronzeFile[]): { date: string; firstRow: number; rows: number }[] {
    const all: string[] = [];
    const dates = [...new Set(inputs.flatMap((input) => input.dates.map(({ date }) => date)))].sort().map((date) => {
      const own = inputs.flatMap((input) =>
        input.dates
          .filter((one) => one.date === date)
          .flatMap(({ firstRow, rows }) => this.#rows.get(input.file)?.slice(firstRow, firstRow + rows) ?? []),
      );
      const range = { date, firstRow: all.length, rows: own.length };
      all.push(...own);
      return range;
    });
    this.#rows.set(file, all);
    return dates;
  }

  all(file: string): readonly string[] {
    return this.#rows.get(file) ?? [];
  }

  read({ stored_file, stored_row, rows }: BronzeInput): readonly string[] {
    return this.#rows.get(stored_file)?.slice(stored_row, stored_row + rows) ?? [];
  }
}
