/** The rows of several bronze files as those of one, and the bytes of that file. */

import type { Contract } from "../../../contracts/contract.ts";
import { formatDate } from "../../../schemas/time.ts";
import { byDay, dayColumn } from "../../bronze/by-day.ts";
import { type FileDate, rowGroupStarts } from "../../bronze/files.ts";
import { bronzeLayout } from "../../bronze/table.ts";
import type { Batch, Field } from "../../engine/columns/column.ts";
import { concatBatches } from "../../engine/columns/concat.ts";
import type { RangeSource } from "../../engine/parquet/reader.ts";
import type { WasmPermit } from "../../engine/parquet/wasm.ts";
import { writeParquet } from "../../engine/parquet/writer.ts";
import { knownRows } from "../../tables/known-rows.ts";

/** What holds memory says how to free it. */
type OpenedFile = RangeSource & Partial<Disposable>;

export interface MergedFile {
  readonly bytes: Uint8Array;
  readonly dates: readonly FileDate[];
  readonly rows: number;
}

/**
 * Reads the files in their order, each opened when its turn comes, batch by batch, into one file with today's columns: for each date the rows of the first
 * file, then of the second. Files of one date are streamed; those of several (`mixed`) are put in order in memory. Throws
 * `UnknownColumnsError`, and what reading throws.
 */
export async function mergeFiles(
  permit: WasmPermit,
  sources: readonly (() => Promise<OpenedFile>)[],
  contract: Contract,
  options: { readonly mixed: boolean; readonly metadata: Readonly<Record<string, string>> },
): Promise<MergedFile> {
  const layout = bronzeLayout(contract);
  const days = new DayRanges(contract);
  const rows = rowsOf(permit, sources, layout.fields);
  const write = (batches: Iterable<Batch> | AsyncIterable<Batch>, starts: readonly number[]) =>
    writeParquet(permit, {
      ...layout,
      batches,
      rowGroupStarts: starts,
      metadata: { "sluice.topic": contract.topic, "sluice.contract": contract.version, ...options.metadata },
    });
  if (!options.mixed) return { bytes: await write(days.watch(rows), []), ...days.finish() };
  const batches: Batch[] = [];
  for await (const batch of rows) batches.push(batch);
  const ordered = byDay(contract, concatBatches(batches));
  days.add(ordered);
  return { bytes: await write([ordered], rowGroupStarts(days.finish().dates)), ...days.finish() };
}

async function* rowsOf(
  permit: WasmPermit,
  sources: readonly (() => Promise<OpenedFile>)[],
  fields: readonly Field[],
): AsyncGenerator<Batch, void, undefined> {
  for (const open of sources) {
    const source = await open();
    try {
      yield* knownRows(permit, source, fields);
    } finally {
      source[Symbol.dispose]?.();
    }
  }
}

/** Counts the rows of each date of a file while they pass. */
class DayRanges {
  readonly #contract: Contract;
  readonly #dates: { day: number; firstRow: number; rows: number }[] = [];
  #rows = 0;

  constructor(contract: Contract) {
    this.#contract = contract;
  }

  async *watch(batches: AsyncIterable<Batch>): AsyncGenerator<Batch, void, undefined> {
    for await (const batch of batches) {
      this.add(batch);
      yield batch;
    }
  }

  add(batch: Batch): void {
    for (const day of dayColumn(this.#contract, batch)) {
      const last = this.#dates.at(-1);
      if (last?.day === day) last.rows++;
      else if (last === undefined || last.day < day) this.#dates.push({ day, firstRow: this.#rows, rows: 1 });
      else throw new Error(`rows of ${formatDate(day)} after those of ${formatDate(last.day)} in files of one date`);
      this.#rows++;
    }
  }

  finish(): { readonly dates: readonly FileDate[]; readonly rows: number } {
    return { dates: this.#dates, rows: this.#rows };
  }
}
