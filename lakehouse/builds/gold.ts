/** Prepares a partition of a gold table: the model, run over the published snapshots of its inputs. */
import { publishedFiles } from "../../sql/statements/snapshots.ts";
import type { Batch } from "../columns/column.ts";
import { runModel } from "../models/run.ts";
import type { ModelTable } from "../tables/catalog.ts";
import { type LakeBucket, readObject } from "../tables/lake.ts";
import type { Candidate } from "./candidate.ts";

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
    for (const { file } of inputs.get(name)?.files ?? []) yield* readObject(bucket, file, { columns });
  }
  const rows = await runModel(table.model, { scan });
  return {
    rows,
    rowsIn,
    inputs: [...inputs].map(([name, input]) => ({ table: name, snapshot: input?.snapshotId ?? "" })),
    inputResults: [],
  };
}
