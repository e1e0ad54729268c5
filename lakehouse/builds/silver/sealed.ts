/**
 * What a build does with a sealed partition, whose bronze is retired: nothing can be derived again, so the published rows stay.
 * Events that came after the sealing are put into quarantine beside them, and the ledger counts them there.
 */

import { type BronzeInput, bronzeInputs } from "../../../sql/statements/bronze-inputs.ts";
import type { OutcomeLine } from "../../../sql/statements/bronze-terms.ts";
import type { Commit } from "../../../sql/statements/commits.ts";
import { sealedPartition } from "../../../sql/statements/sealed-partitions.ts";
import { flushedThrough } from "../../../sql/statements/shards.ts";
import { createColumnBuilder } from "../../engine/columns/builder.ts";
import type { Batch, Column } from "../../engine/columns/column.ts";
import { concatBatches } from "../../engine/columns/concat.ts";
import { pushValue } from "../../engine/columns/push-value.ts";
import type { TopicTable } from "../../tables/catalog.ts";
import type { LakeWork } from "../../tables/lake.ts";
import { FAILED_CHECKS_FIELD, quarantineOf } from "../../tables/quarantine.ts";
import { stageFiles } from "../../tables/stage.ts";
import { digestOf } from "../digest.ts";
import { outcomeLines } from "../outcomes.ts";
import { bronzeRows, newestOf } from "./bronze-rows.ts";
import { MAX_PARTITION_ROWS, PartitionTooLargeError } from "./silver.ts";

/** A build was asked for of a partition whose bronze is past retention: a `data` failure, and the version stays live. */
export class BronzeRetiredError extends Error {
  override readonly name = "BronzeRetiredError";
}

/** As `_failed_checks` of rows that came after the sealing. */
export const RETENTION_CHECK = "retention";

type SealedCommit = Omit<Commit, "lease" | "table" | "layer" | "path">;

/** Stages the late rows; what to commit: more in quarantine, and the rest as it is. Throws BronzeRetiredError when nothing is late, and what reading throws. */
export async function quarantineLate(
  db: D1Database,
  lake: LakeWork,
  table: TopicTable,
  date: string,
  runId: string,
): Promise<SealedCommit> {
  const { topic } = table.contract;
  const completeThrough = await flushedThrough(db, topic);
  const sealed = await sealedPartition(db, table.name, date);
  const inputs = await bronzeInputs(db, topic, date);
  const late = sealed === undefined ? [] : inputs.filter(({ registration }) => registration > sealed.seen);
  if (sealed === undefined || late.length === 0) {
    throw new BronzeRetiredError(
      `BRONZE_RETIRED: the bronze of ${table.name} ${date} is past retention, so it cannot be built again; the published version stays`,
    );
  }
  const count = late.reduce((sum, { rows }) => sum + rows, 0);
  if (count > MAX_PARTITION_ROWS) {
    throw new PartitionTooLargeError(
      `PARTITION_TOO_LARGE: ${count} late rows of ${table.name} ${date}, a build holds ${MAX_PARTITION_ROWS}`,
    );
  }
  const rows = await lateRows(lake, table, late);
  return {
    added: await stageFiles(lake, quarantineOf(table), date, runId, rows, "quarantine"),
    removed: [],
    rows: sealed.rows,
    rowsAdded: 0,
    inputs: inputs.length,
    rowsIn: inputs.reduce((sum, input) => sum + input.rows, 0),
    seen: newestOf(inputs),
    completeThrough,
    digest: digestOf(
      late.map(({ file }) => file),
      sealed.digest,
    ),
    // Silver's rows are what they were.
    dependents: [],
    terms: { topic, duplicates: sealed.duplicates, outcomes: outcomesWith(sealed.outcomes, rows) },
  };
}

async function lateRows(lake: LakeWork, table: TopicTable, late: readonly BronzeInput[]): Promise<Batch> {
  const stored = table.fields.filter((field) => field.name !== "_copies");
  const batches: Batch[] = [];
  for await (const batch of bronzeRows(lake, late, stored)) batches.push(batch);
  const { columns, length } = concatBatches(batches);
  const copies: Column = {
    kind: "int32",
    type: { kind: "int32" },
    length,
    nulls: undefined,
    values: new Int32Array(length).fill(1),
  };
  const reasons = createColumnBuilder(FAILED_CHECKS_FIELD.type);
  for (let row = 0; row < length; row++) pushValue(reasons, [RETENTION_CHECK]);
  return {
    fields: [...table.fields, FAILED_CHECKS_FIELD],
    columns: [...columns, copies, reasons.finish()],
    length,
  };
}

/** The partition's terms as they stand, and the late rows among the quarantined. */
function outcomesWith(before: readonly OutcomeLine[], rows: Batch): OutcomeLine[] {
  const late = new Map(outcomeLines("quarantined", rows).map((line) => [line.hour, line]));
  const lines = before.map((line): OutcomeLine => {
    const more = line.term === "quarantined" ? late.get(line.hour) : undefined;
    if (more === undefined) return line;
    late.delete(line.hour);
    return { ...line, events: line.events + more.events, replayed: line.replayed + more.replayed };
  });
  return [...lines, ...late.values()];
}
