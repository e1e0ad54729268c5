/** What a build needs, and how it ends. */
import type { Lease } from "../../sql/statements/leases.ts";
import type { Table } from "../tables/catalog.ts";
import type { LakeWork } from "../tables/lake.ts";
import type { Deploy } from "./generations/record.ts";

export interface BuildDeps extends LakeWork {
  readonly db: D1Database;
  newRunId(): string;
  /** The deploy that builds; if it is not given, no other is known of. */
  readonly deploy?: Deploy;
  /** Rows of a step at the most; what is usual for the table if it is not given. */
  readonly stepRows?: number | undefined;
  /** Rows of a partition's inputs past which native builders build it; 0 or absent: they do not. */
  readonly nativeRows?: number;
  /** Whether a native builder is woken where something waits for one, as the container is. */
  readonly builderOnCall?: boolean;
  /** Bytes of known keys, or of a partial result, that a partition's progress holds itself; `INLINE_BYTES` if it is not given. */
  readonly inlineBytes?: number;
}

/**
 * Rows that an isolate takes at once: their keys are 5 MB and what is written of them passes through in row groups, so that a step
 * takes less than five seconds of CPU and a few tens of megabytes.
 */
export const STEP_ROWS = 200_000;

/**
 * The same for a model of class `merge`, of which a row costs a tenth: with each step it loads and saves its partial result, which may
 * take as long as 300,000 rows.
 */
const MERGE_STEP_ROWS = 500_000;

/** Rows of a step of a table, where no variable says less. */
export function usualStepRows(table: Table): number {
  return table.kind === "model" && table.model.class.kind === "merge" ? MERGE_STEP_ROWS : STEP_ROWS;
}

/** By a variable of the deployment; undefined, what is usual, for "0". It may say less: more is not what an isolate holds. */
export function stepRowsOf(buildStepRows: string): number | undefined {
  const rows = Number(buildStepRows);
  return rows > 0 ? Math.max(1, Math.min(STEP_ROWS, Math.floor(rows))) : undefined;
}

/** By a variable of the deployment, "0" for never. What is no number of rows is never, too. */
export function nativeRowsOf(nativeRows: string): number {
  const rows = Number(nativeRows);
  return Number.isSafeInteger(rows) && rows > 0 ? rows : 0;
}

/** What a step may take. */
export interface StepBounds {
  /** At most. */
  readonly rows: number;
  /** Builders vanished at as few: it is not taken any more. */
  readonly givenUp: boolean;
}

export type BuildOutcome =
  | { readonly kind: "committed"; readonly lease: Lease; readonly rowsIn: number; readonly rowsOut: number }
  /** One step of a build that has more to read: the partition waits for its next. */
  | {
      readonly kind: "stepped";
      readonly lease: Lease;
      readonly rowsIn: number;
      readonly rowsOut: number;
      readonly steps: number;
    }
  /** It was more than the edge can do: a native builder builds it, and `message` says why. */
  | { readonly kind: "sent"; readonly lease: Lease; readonly message: string }
  /** The partition does not wait for a build, or another builder has it. */
  | { readonly kind: "not_needed" }
  /** Another run was published meanwhile; this one's files are unreferenced. */
  | { readonly kind: "lost"; readonly lease: Lease }
  | {
      readonly kind: "failed";
      readonly lease: Lease;
      readonly failureClass: "data" | "system";
      readonly message: string;
    };

/** As `error_message` keeps it. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** A commit whose answer was lost may have happened: what D1 says afterwards decides. */
export async function orReadBack(commit: () => Promise<boolean>, happened: () => Promise<boolean>): Promise<boolean> {
  try {
    return await commit();
  } catch (error) {
    if (await happened()) return true;
    throw error;
  }
}
