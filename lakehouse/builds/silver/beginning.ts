/** What a step goes on from, and which rows its checks keep out. Pure. */
import { allowsNone } from "../../../contracts/check-time.ts";
import type { Lease } from "../../../sql/statements/leases.ts";
import type { ProgressRows } from "../../../sql/statements/silver-progress.ts";
import type { TopicTable } from "../../tables/catalog.ts";
import type { CheckResult } from "../gates/gate.ts";
import { measureName } from "../gates/measures.ts";
import { groundOf } from "../ground.ts";
import { definitionOf, fits, noProgress, parseProgress, type SilverProgress } from "./progress.ts";

/** What a step goes on from. */
export interface Beginning {
  readonly progress: SilverProgress;
  readonly basis: "published" | "empty";
  /** The candidate that it goes on from; undefined: its first step. */
  readonly candidate: { readonly id: string; readonly steps: number } | undefined;
  /** A candidate that is given up for it. */
  readonly discarded: SilverProgress | undefined;
  /** The progress that the published version left. */
  readonly live: SilverProgress | undefined;
}

/** Throws what `parseProgress` throws. */
export function beginning(rows: ProgressRows, table: TopicTable, lease: Pick<Lease, "date" | "rebuild">): Beginning {
  const { candidate, published, under, live } = groundOf(rows, lease, (text) =>
    parseProgress(text, table.domain, lease.date),
  );
  if (candidate !== undefined && fits(candidate.progress, table)) {
    const { progress, basis, id, steps } = candidate;
    return { progress, basis, candidate: { id, steps }, discarded: undefined, live };
  }
  if (published !== undefined && fits(published, table))
    return { progress: published, basis: "published", candidate: undefined, discarded: under, live };
  const taking = live !== undefined && live.definition === definitionOf(table) ? live.taking : zeroChecks(table);
  return { progress: noProgress(table, taking), basis: "empty", candidate: undefined, discarded: under, live };
}

/** The same from nothing: nobody can go on from there. */
export function fromNothing(begin: Beginning, table: TopicTable, taking: readonly string[]): Beginning {
  const discarded = begin.candidate === undefined ? begin.discarded : begin.progress;
  return { progress: noProgress(table, taking), basis: "empty", candidate: undefined, discarded, live: begin.live };
}

/** The checks that keep their failing rows out at once: a single one breaks their bound, so that nothing has to be known of the rest. */
function zeroChecks({ checks }: TopicTable): string[] {
  return checks.flatMap((check) => {
    if (check.metric === "sql" || check.onFail !== "quarantine" || check.when === "closing") return [];
    return allowsNone(check) ? [measureName(check)] : [];
  });
}

/**
 * The checks that must keep their failing rows out, by what they measured over all rows; undefined where that is what was done. A check
 * that failed takes every row that counts against it, one that holds takes none.
 */
export function takenNow(results: readonly CheckResult[], taking: readonly string[]): readonly string[] | undefined {
  const done = new Set(taking);
  let changed = false;
  const now = results.flatMap(({ check, passed, measured }) => {
    if (check.onFail !== "quarantine" || check.metric === "sql") return [];
    const name = measureName(check);
    const takes = done.has(name);
    // Of a check that takes rows and holds, nothing was taken where nothing counted.
    if (passed ? takes && measured !== 0 : !takes) changed = true;
    return passed && (measured !== 0 || !takes) ? [] : [name];
  });
  return changed ? now : undefined;
}
