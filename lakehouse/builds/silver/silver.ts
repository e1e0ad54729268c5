/** Prepares a topic's silver partition: every bronze row of the date, gated, typed to the newest schema, deduplicated. */
import { bronzeInputs } from "../../../sql/statements/bronze-inputs.ts";
import { flushedThrough } from "../../../sql/statements/shards.ts";
import type { Batch, Column } from "../../engine/columns/column.ts";
import { concatBatches } from "../../engine/columns/concat.ts";
import { emptyBatch } from "../../engine/columns/conform.ts";
import { gather } from "../../engine/columns/gather.ts";
import { eventsByHour } from "../../ledger/by-hour.ts";
import type { TopicTable } from "../../tables/catalog.ts";
import type { LakeWork } from "../../tables/lake.ts";
import type { Candidate } from "../candidate.ts";
import { digestOf } from "../digest.ts";
import { runChecks } from "../gates/gate.ts";
import { bronzeRows, newestOf, positionOrder } from "./bronze-rows.ts";
import { deduplicate } from "./dedupe.ts";

/** Rows of a partition that one build holds at once; past it the partition needs the bucketed build. */
export const MAX_PARTITION_ROWS = 2_000_000;

/** A partition larger than one isolate can build: a `data` failure, with what to do in its text. */
export class PartitionTooLargeError extends Error {
  override readonly name = "PartitionTooLargeError";
}

/** Reads bronze and gives the candidate with what the bronze checks measured; whether they hold it back is the caller's to say. Throws what reading throws. */
export async function prepareSilver(
  db: D1Database,
  lake: LakeWork,
  table: TopicTable,
  date: string,
): Promise<Candidate> {
  const { contract } = table;
  const completeThrough = await flushedThrough(db, contract.topic);
  const files = await bronzeInputs(db, contract.topic, date);
  const total = files.reduce((sum, file) => sum + file.rows, 0);
  if (total > MAX_PARTITION_ROWS) {
    throw new PartitionTooLargeError(
      `PARTITION_TOO_LARGE: ${table.name} ${date} has ${total} bronze rows, a build holds ${MAX_PARTITION_ROWS}`,
    );
  }
  const stored = table.fields.filter((field) => field.name !== "_copies");
  const batches: Batch[] = [];
  for await (const batch of bronzeRows(lake, files, stored)) batches.push(batch);
  const bronze = batches.length === 0 ? emptyBatch(stored) : concatBatches(batches);
  const inputResults = await runChecks(table.checks, "bronze", bronze);
  const { rows, copies, removedReceived } = deduplicate(bronze, contract.dedupeKey, positionOrder(files));
  const columns: Column[] = bronze.columns.map((column) => gather(column, rows));
  columns.push({ kind: "int32", type: { kind: "int32" }, length: copies.length, nulls: undefined, values: copies });
  return {
    rows: { fields: table.fields, columns, length: rows.length },
    rowsIn: bronze.length,
    inputs: files.length,
    digest: digestOf(files.map(({ file }) => file)),
    seen: newestOf(files),
    completeThrough,
    inputResults,
    duplicates: eventsByHour(removedReceived),
  };
}
