/** What a step of a model goes on from. Pure. */
import type { Lease } from "../../../sql/statements/leases.ts";
import type { ProgressRows } from "../../../sql/statements/silver-progress.ts";
import type { ModelTable } from "../../tables/catalog.ts";
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
  { candidate, published, current }: ProgressRows,
  table: ModelTable,
  lease: Pick<Lease, "date" | "replay">,
  inputs: Published,
  stepRows: number,
): Beginning {
  const parse = (text: string) => parseProgress(text, table.domain, lease.date);
  const live = published === undefined ? undefined : parse(published.progress);
  const under = candidate === undefined ? undefined : parse(candidate.progress);
  if (candidate !== undefined && under !== undefined) {
    const { build_id: id, steps, basis, blocked } = candidate;
    // One that its gate held back is built again when somebody asks for a build and nothing is new; one that adds to a version that is
    // not the published one any more has lost its ground.
    const stands = !(blocked && lease.replay) && (basis === "empty" || current);
    const portion = stands ? portionBehind(under, table, inputs, stepRows) : undefined;
    if (portion !== undefined)
      return { progress: under, basis, candidate: { id, steps }, discarded: undefined, live, portion };
  }
  const portion =
    live !== undefined && current && !lease.replay ? portionBehind(live, table, inputs, stepRows) : undefined;
  if (live === undefined || portion === undefined)
    return fromNothing({ discarded: under, live }, table, inputs, stepRows);
  return { progress: live, basis: "published", candidate: undefined, discarded: under, live, portion };
}

/** The same from nothing. */
export function fromNothing(
  { discarded, live }: Pick<Beginning, "discarded" | "live">,
  table: ModelTable,
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
  table: ModelTable,
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
