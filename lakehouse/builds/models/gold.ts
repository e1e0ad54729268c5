/** Prepares a partition of a gold table: the model, run over the published snapshots of its inputs. */
import { publishedFiles } from "../../../sql/statements/snapshots.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { conform } from "../../engine/columns/conform.ts";
import { openParquet } from "../../engine/parquet/reader.ts";
import { type ModelTable, tableByName } from "../../tables/catalog.ts";
import { type LakeBucket, tailedSource } from "../../tables/lake.ts";
import type { Candidate } from "../candidate.ts";
import { runModel } from "./run.ts";

/**
 * Runs the model over the partition `date` of every input; an input without a published partition is an empty table.
 * Inputs are looked up once, before the run, so that all scans of a table see one snapshot.
 */
export async function prepareGold(
  db: D1Database,
  bucket: LakeBucket,
  table: ModelTable,
  date: string,
): Promise<Candidate> {
  const inputs = new Map(
    await Promise.all(
      table.model.inputs.map(async ({ table: name }) => [name, await publishedFiles(db, name, date)] as const),
    ),
  );
  let rowsIn = 0;
  for (const input of inputs.values()) for (const file of input?.files ?? []) rowsIn += file.rows;

  async function* scan(name: string, columns: readonly string[]): AsyncGenerator<Batch, void, undefined> {
    const fields = (tableByName(name)?.fields ?? []).filter((field) => columns.includes(field.name));
    for (const { file } of inputs.get(name)?.files ?? []) {
      const parquet = await openParquet(await tailedSource(bucket, file));
      const present = columns.filter((column) => parquet.columns.includes(column));
      // A snapshot built before a field was released lacks its column until it is built again.
      for await (const batch of parquet.read({ columns: present })) yield conform(batch, fields);
    }
  }
  const rows = await runModel(table.model, { scan });
  return {
    rows,
    rowsIn,
    inputs: [...inputs].map(([name, input]) => ({ table: name, snapshot: input?.snapshotId ?? "" })),
    inputResults: [],
  };
}
