/** Prepares a partition of a gold table: the model, run over the published versions of its inputs. */
import type { Batch } from "../../engine/columns/column.ts";
import { conform } from "../../engine/columns/conform.ts";
import { openParquet } from "../../engine/parquet/reader.ts";
import { type ModelTable, tableByName } from "../../tables/catalog.ts";
import { type LakeWork, tailedSource } from "../../tables/lake.ts";
import { livePartition } from "../../tables/live-files.ts";
import type { Candidate } from "../candidate.ts";
import { digestOf, inputName } from "../digest.ts";
import { inputDates } from "./dates-read.ts";
import { planOfPartition } from "./own-partition.ts";
import { runModel } from "./run.ts";

/**
 * Runs the model over the partitions of its inputs that the partition `date` reads; an input without a published one is an
 * empty table. Inputs are looked up once, before the run, so that all scans of a table see the same versions.
 */
export async function prepareGold(
  db: D1Database,
  { bucket, permit }: LakeWork,
  table: ModelTable,
  date: string,
): Promise<Candidate> {
  const read = await Promise.all(
    table.model.inputs.map(async (input) => {
      const dates = await inputDates(db, table.model, input, date);
      return Promise.all(
        dates.map(async (own) => ({
          table: input.table,
          date: own,
          live: await livePartition(db, bucket, input.table, own),
        })),
      );
    }),
  );
  const inputs = read.flat();
  const rowsIn = inputs.reduce((rows, { live }) => rows + (live?.rows ?? 0), 0);

  async function* scan(name: string, columns: readonly string[]): AsyncGenerator<Batch, void, undefined> {
    const fields = (tableByName(name)?.fields ?? []).filter((field) => columns.includes(field.name));
    const own = inputs.filter((input) => input.table === name);
    for (const { file, kind } of own.flatMap(({ live }) => live?.files ?? [])) {
      if (kind !== "data") continue;
      const parquet = await openParquet(await tailedSource(bucket, file));
      const present = columns.filter((column) => parquet.columns.includes(column));
      // A version built before a field was released lacks its column until it is built again.
      for await (const batch of parquet.read(permit, { columns: present })) yield conform(batch, fields);
    }
  }
  const rows = await runModel(table.model, { scan }, planOfPartition(table.model, date));
  return {
    rows,
    rowsIn,
    inputs: inputs.length,
    digest: digestOf(inputs.map((input) => inputName(input.table, input.date, input.live?.version ?? 0)).sort()),
    completeThrough: earliest(inputs.map(({ live }) => live?.complete_through ?? null)),
  };
}

/** Null when one is. */
function earliest(times: readonly (string | null)[]): string | null {
  return times.includes(null) ? null : (times.toSorted()[0] ?? null);
}
