/** What a step of a model goes on from. Pure. */
import type { Lease } from "../../../sql/statements/leases.ts";
import type { ProgressRows } from "../../../sql/statements/silver-progress.ts";
import type { EdgeModelTable } from "../../tables/catalog.ts";
import { groundOf } from "../ground.ts";
import { nextPortion, type Portion, type PublishedInput } from "./portion.ts";
import { definitionOf, type ModelProgress, noProgress, parseProgress } from "./progress.ts";

export interface Beginning {
  readonly progress: ModelProgress;
  readonly basis: "published" | "empty";
  /** The candidate that it goes on from; undefined: its first step. */
  readonly candidate: { readonly id: string; readonly steps: number } | undefined;
  /** A candidate that is given up for it. */
  readonly discarded: ModelProgress | undefined;
  /** The progress that the published version left. */
  readonly live: ModelProgress | undefined;
  /** What the step reads. */
  readonly portion: Portion;
}

/** The inputs as they are published. */
export interface Published {
  readonly read: readonly PublishedInput[];
  readonly lookups: ModelProgress["lookups"];
}

/** `stepRows`: of a step at the most. Throws what `parseProgress` throws. */
export function beginning(
  rows: ProgressRows,
  table: EdgeModelTable,
  lease: Pick<Lease, "date" | "rebuild">,
  inputs: Published,
  stepRows: number,
): Beginning {
  const { candidate, published, under, live } = groundOf(rows, lease, (text) =>
    parseProgress(text, table.domain, lease.date),
  );
  if (candidate !== undefined) {
    const { progress, basis, id, steps } = candidate;
    const portion = portionBehind(progress, table, inputs, stepRows);
    if (portion !== undefined)
      return { progress, basis, candidate: { id, steps }, discarded: undefined, live, portion };
  }
  const portion = published === undefined ? undefined : portionBehind(published, table, inputs, stepRows);
  if (published === undefined || portion === undefined)
    return fromNothing({ discarded: under, live }, table, inputs, stepRows);
  return { progress: published, basis: "published", candidate: undefined, discarded: under, live, portion };
}

/** The same from nothing. */
export function fromNothing(
  { discarded, live }: Pick<Beginning, "discarded" | "live">,
  table: EdgeModelTable,
  inputs: Published,
  stepRows: number,
): Beginning {
  const progress = noProgress(table, inputs.lookups);
  const portion = portionBehind(progress, table, inputs, stepRows);
  // No file was read yet, so none of those can be missing.
  if (portion === undefined) throw new Error(`${table.name} cannot begin`);
  return { progress, basis: "empty", candidate: undefined, discarded, live, portion };
}

/** The rows behind `progress`; undefined where today's model, lookups or input files are not those that it was made with. */
function portionBehind(
  progress: ModelProgress,
  table: EdgeModelTable,
  { read, lookups }: Published,
  stepRows: number,
): Portion | undefined {
  const same = JSON.stringify(progress.lookups) === JSON.stringify(lookups);
  if (!same || progress.definition !== definitionOf(table)) return undefined;
  // Rows that give more rows than they are make a step smaller.
  const { rows, rowsIn } = progress;
  const share = table.model.class.kind === "rows" && rows > rowsIn ? rowsIn / rows : 1;
  return nextPortion(progress.read, read, Math.max(1, Math.floor(stepRows * share)));
}
