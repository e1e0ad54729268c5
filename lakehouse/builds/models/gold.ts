/** Prepares a partition of a gold table: the model, run over the published versions of its inputs. */
import type { Batch } from "../../engine/columns/column.ts";
import { conform } from "../../engine/columns/conform.ts";
import { openParquet } from "../../engine/parquet/reader.ts";
import { type ModelTable, tableByName } from "../../tables/catalog.ts";
import { type LakeWork, tailedSource } from "../../tables/lake.ts";
import { livePartition } from "../../tables/live-files.ts";
import type { Candidate } from "../candidate.ts";
import { digestOf, inputName } from "../digest.ts";
import { runModel } from "./run.ts";

/**
 * Runs the model over the partition `date` of every input; an input without a published partition is an empty table.
 * Inputs are looked up once, before the run, so that all scans of a table see one version.
 */
export async function prepareGold(
  db: D1Database,
  { bucket, permit }: LakeWork,
  table: ModelTable,
  date: string,
): Promise<Candidate> {
  const inputs = new Map(
    await Promise.all(
      table.model.inputs.map(async ({ table: name }) => [name, await livePartition(db, bucket, name, date)] as const),
    ),
  );
  let rowsIn = 0;
  for (const input of inputs.values()) rowsIn += input?.rows ?? 0;

  async function* scan(name: string, columns: readonly string[]): AsyncGenerator<Batch, void, undefined> {
    const fields = (tableByName(name)?.fields ?? []).filter((field) => columns.includes(field.name));
    for (const { file, kind } of inputs.get(name)?.files ?? []) {
      if (kind !== "data") continue;
      const parquet = await openParquet(await tailedSource(bucket, file));
      const present = columns.filter((column) => parquet.columns.includes(column));
      // A version built before a field was released lacks its column until it is built again.
      for await (const batch of parquet.read(permit, { columns: present })) yield conform(batch, fields);
    }
  }
  const rows = await runModel(table.model, { scan });
  return {
    rows,
    rowsIn,
    inputs: inputs.size,
    digest: digestOf([...inputs].map(([name, input]) => inputName(name, date, input?.version ?? 0)).sort()),
    seen: null,
    completeThrough: earliest([...inputs.values()].map((input) => input?.complete_through ?? null)),
    inputResults: [],
  };
}

/** Null when one is. */
function earliest(times: readonly (string | null)[]): string | null {
  return times.includes(null) ? null : (times.toSorted()[0] ?? null);
}
