/**
 * A step of a sealed partition, whose bronze is retired: nothing can be derived again, so the published rows stay. Events that came
 * after the sealing are put into quarantine beside them, and the ledger counts them there.
 */
import { foldedDate } from "../../../sql/statements/bronze-folding.ts";
import type { BronzeInput } from "../../../sql/statements/bronze-inputs.ts";
import type { Commit } from "../../../sql/statements/commits.ts";
import { anyRetired } from "../../../sql/statements/retention.ts";
import { sealedPartition } from "../../../sql/statements/sealed-partitions.ts";
import { flushedThrough } from "../../../sql/statements/shards.ts";
import { unseenInputs } from "../../tables/bronze/inputs.ts";
import { readBronzeManifest } from "../../tables/bronze/manifest.ts";
import type { TopicTable } from "../../tables/catalog.ts";
import type { LakeWork } from "../../tables/lake.ts";
import { quarantineOf } from "../../tables/quarantine.ts";
import { FileStager } from "../../tables/stage.ts";
import { digestOf } from "../digest.ts";
import { withReasons } from "../gates/quarantine.ts";
import { bronzeRows } from "./bronze-rows.ts";
import { derived, storedFields } from "./derived.ts";
import { sumOfTerms, TermCounts } from "./term-counts.ts";

/** A build was asked for of a partition whose bronze is past retention: a `data` failure, and the version stays live. */
export class BronzeRetiredError extends Error {
  override readonly name = "BronzeRetiredError";
}

/** As `_failed_checks` of rows that came after the sealing. */
export const RETENTION_CHECK = "retention";

/** Whether retention let go of some of these inputs, which were registered behind `seen`: they were built, and are not late. */
async function hasRetired(
  db: D1Database,
  bucket: LakeWork["bucket"],
  topic: string,
  date: string,
  seen: number,
  inputs: readonly BronzeInput[],
): Promise<boolean> {
  if (await anyRetired(db, [...new Set(inputs.map(({ stored_file }) => stored_file))])) return true;
  const folded = await foldedDate(db, { topic, partition_date: date });
  if (folded === null || folded.through <= seen) return false;
  const { files } = await readBronzeManifest(bucket, folded.manifest);
  const retired = files.filter((file) => file.retired === true).map(({ file }) => file);
  return inputs.some(({ stored_file }) => retired.includes(stored_file));
}

type SealedCommit = Omit<Commit, "lease" | "table" | "layer" | "path">;

/**
 * Stages late rows, at most `limitRows`; what to commit: more in quarantine, and the rest as it is. Throws BronzeRetiredError when
 * nothing is late, or a rollback took rows out that are retired, and what reading throws.
 */
export async function quarantineLate(
  db: D1Database,
  lake: LakeWork,
  table: TopicTable,
  { date, runId }: { readonly date: string; readonly runId: string },
  limitRows: number,
): Promise<SealedCommit & { readonly more: boolean }> {
  const { topic } = table.contract;
  const completeThrough = await flushedThrough(db, topic);
  const sealed = await sealedPartition(db, table.name, topic, date);
  const late =
    sealed === undefined ? undefined : await unseenInputs(db, lake.bucket, topic, date, sealed.seen, limitRows);
  if (sealed === undefined || late === undefined || late.inputs.length === 0) {
    throw new BronzeRetiredError(
      `BRONZE_RETIRED: the bronze of ${table.name} ${date} is past retention, so it cannot be built again; the published version stays`,
    );
  }
  if (await hasRetired(db, lake.bucket, topic, date, sealed.seen, late.inputs)) {
    throw new BronzeRetiredError(
      `BRONZE_RETIRED: ${table.name} ${date} was rolled back to a version without rows of bronze that is past retention, so they cannot be built again; roll it back to a version that has them`,
    );
  }
  const quarantine = quarantineOf(table);
  const stager = new FileStager(lake, quarantine, date, runId, "quarantine");
  const counts = new TermCounts();
  let rowsIn = 0;
  for await (const rows of bronzeRows(lake, late.inputs, storedFields(table))) {
    const reasons = Array.from({ length: rows.length }, () => [RETENTION_CHECK]);
    await stager.add(derived(table, withReasons(rows, reasons), quarantine.fields));
    counts.add("quarantined", rows);
    rowsIn += rows.length;
  }
  return {
    added: await stager.finish(),
    removed: [],
    rows: sealed.rows,
    rowsAdded: 0,
    inputs: sealed.inputs + late.inputs.length,
    rowsIn,
    seen: late.through,
    completeThrough: late.more ? null : completeThrough,
    digest: digestOf(
      late.inputs.map(({ file }) => file),
      sealed.digest,
    ),
    generation: { kept: sealed.generation },
    // Silver's rows are what they were, and were judged.
    awaitsClosing: false,
    dependents: [],
    terms: { topic, ...sumOfTerms(sealed, counts.terms()) },
    more: late.more,
  };
}
