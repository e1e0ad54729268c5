/** What D1 lets a step go on from: the candidate of the steps before it, the published version, or neither. Pure. */
import type { Lease } from "../../sql/statements/leases.ts";
import type { ProgressRow, ProgressRows } from "../../sql/statements/silver-progress.ts";

export interface Ground<Progress> {
  /** The candidate, where the step may go on from it. */
  readonly candidate:
    | {
        readonly progress: Progress;
        readonly basis: ProgressRow["basis"];
        readonly id: string;
        readonly steps: number;
      }
    | undefined;
  /** The published version's progress, where the step may go on from it. */
  readonly published: Progress | undefined;
  /** The candidate's progress, whether or not the step may go on from it. */
  readonly under: Progress | undefined;
  /** The progress that the published version left, likewise. */
  readonly live: Progress | undefined;
}

/** `parse` reads a row's progress. Throws what it throws. */
export function groundOf<Progress>(
  { candidate, published, current }: ProgressRows,
  { rebuild }: Pick<Lease, "rebuild">,
  parse: (text: string) => Progress,
): Ground<Progress> {
  const live = published === undefined ? undefined : parse(published.progress);
  const under = candidate === undefined ? undefined : parse(candidate.progress);
  // A candidate that its gate held back is built again when somebody asks for a build and nothing is new; one that adds to a version that
  // is not the published one any more has lost its ground.
  const stands = candidate !== undefined && !(candidate.blocked && rebuild) && (candidate.basis === "empty" || current);
  return {
    candidate:
      stands && under !== undefined
        ? { progress: under, basis: candidate.basis, id: candidate.build_id, steps: candidate.steps }
        : undefined,
    published: current && !rebuild ? live : undefined,
    under,
    live,
  };
}
