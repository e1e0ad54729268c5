/** What a partition of a model reads: the published partitions of its inputs, looked up once, so that all scans see the same versions. */
import type { LookupPin } from "../../../sql/statements/lookup-pins.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { type CompiledModel, isNativeOnly, type Plan } from "../../engine/ir/ir.ts";
import { isPartitionOf } from "../../engine/ir/relation.ts";
import { tablesOf } from "../../engine/operators/partial-plan.ts";
import { tableByName } from "../../tables/catalog.ts";
import type { LakeWork } from "../../tables/lake.ts";
import { type LivePartition, livePartitions } from "../../tables/live-files.ts";
import { type FilePiece, readFiles } from "../../tables/read-files.ts";
import { digestOf, inputName } from "../digest.ts";
import { inputDates } from "./dates-read.ts";
import { pinnedLookup } from "./lookups.ts";
import type { PublishedInput } from "./portion.ts";
import type { ModelInputs } from "./run.ts";

export interface InputPartition {
  readonly table: string;
  readonly date: string;
  /** Undefined where nothing of it is published: it is an empty table. */
  readonly live: ReadPartition | undefined;
  /** The version of the table that it is read as of for good; undefined: the newest. */
  readonly pinned?: number;
}

type ReadPartition = Pick<LivePartition, "version" | "rows" | "files" | "complete_through">;

/** Throws `ModelTooLargeError`, and what D1 and reading a manifest throw. */
export async function inputPartitions(
  db: D1Database,
  { bucket }: Pick<LakeWork, "bucket">,
  model: CompiledModel,
  date: string,
): Promise<readonly InputPartition[]> {
  // It stays without rows, whatever the inputs have.
  if (!isPartitionOf(model.grain, date)) return [];
  const read = await Promise.all(
    model.inputs.map(async (input): Promise<InputPartition[]> => {
      const lookup = await pinnedLookup(db, bucket, model, input, date);
      if (lookup !== undefined)
        return lookup.dates.map((own) => ({
          ...{ table: input.table, date: own.date, pinned: lookup.version },
          live: { ...own, complete_through: WHOLE },
        }));
      const dates = await inputDates(db, model, input, date);
      const live = await livePartitions(db, bucket, input.table, dates);
      return dates.map((own) => ({ table: input.table, date: own, live: asItsRows(live.get(own)) }));
    }),
  );
  return read.flat();
}

/** By the version that its rows are of: compaction puts them into other files, and changes nothing of what is made of them. */
function asItsRows(live: LivePartition | undefined): ReadPartition | undefined {
  return live === undefined ? undefined : { ...live, version: live.rows_of ?? live.version };
}

/** What is read as of a version is waited for no more. */
const WHOLE = "9999-12-31T00:00:00Z";

/** What a commit notes of the versions that its partition reads for good. */
export function pinsOf(inputs: readonly InputPartition[]): LookupPin[] {
  const versions = new Map(
    inputs.flatMap(({ table, pinned }) => (pinned === undefined ? [] : [[table, pinned] as const])),
  );
  return [...versions].map(([table, version]) => ({ table, version }));
}

/** What a version says of the inputs that it was built from (`Commit`). */
export function builtFrom(inputs: readonly InputPartition[]) {
  return {
    inputs: inputs.length,
    digest: digestOf(inputs.map((input) => inputName(input.table, input.date, input.live?.version ?? 0)).sort()),
    completeThrough: earliest(inputs.map(({ live }) => live?.complete_through ?? null)),
  };
}

/** Null when one is. */
function earliest(times: readonly (string | null)[]): string | null {
  return times.includes(null) ? null : (times.toSorted()[0] ?? null);
}

/** The published partitions that a plan reads row by row, and the versions of those that it looks rows up in. */
export function partsOf(plan: Plan, inputs: readonly InputPartition[]) {
  const { streamed } = tablesOf(plan);
  const read: PublishedInput[] = [];
  const lookups: { table: string; date: string; version: number }[] = [];
  for (const { table, date, live } of inputs) {
    if (live === undefined) continue;
    if (streamed.includes(table)) read.push({ table, date, files: dataOf(live) });
    else lookups.push({ table, date, version: live.version });
  }
  return { read, lookups };
}

/** Whether a table's versions add files to those that are there; the ledger, results of groups and what DuckDB makes are written whole each time. */
export function grows(name: string): boolean {
  const table = tableByName(name);
  if (table?.kind === "model") return table.model.class.kind === "rows" && !isNativeOnly(table.model);
  return table?.kind === "topic";
}

/**
 * All rows of the inputs; of a table that is given pieces, these, whose arrays stand, where they are `transient`, until the next batch is
 * asked for.
 */
export function scanInputs(
  lake: LakeWork,
  inputs: readonly InputPartition[],
  pieces: ReadonlyMap<string, readonly FilePiece[]>,
  transient = false,
): ModelInputs {
  return {
    async *scan(name, columns): AsyncGenerator<Batch, void, undefined> {
      const fields = (tableByName(name)?.fields ?? []).filter((field) => columns.includes(field.name));
      const own = pieces.get(name);
      if (own !== undefined) return yield* readFiles(lake, own, fields, transient);
      const whole = inputs.filter(({ table }) => table === name).flatMap(({ live }) => dataOf(live));
      yield* readFiles(
        lake,
        whole.map(({ file }) => ({ file })),
        fields,
      );
    },
  };
}

/** The files with the table's rows: those of a topic's quarantine are none. */
export function dataOf(live: ReadPartition | undefined): ReadPartition["files"] {
  return (live?.files ?? []).filter(({ kind }) => kind === "data");
}
