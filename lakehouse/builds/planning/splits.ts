/**
 * A step whose builders vanish, one after another, is more than an isolate holds: it is cut into halves, and these again, until a
 * builder comes to the end of one, or a piece is so small that its size is not the fault. Pure.
 */
import type { StepSize } from "../../../sql/statements/leases.ts";

/** One may have died of anything: a deploy, a neighbour in its isolate. */
const VANISHINGS = 2;
/** A step of 200,000 rows is cut down to 196. */
const MOST_SPLITS = 10;

/** What to do with the present step: take it as it is, take the first of its halves, or no part of it any more. */
export interface StepDecision extends StepSize {
  readonly kind: "take" | "split" | "give up";
}

/** `atOnce`: what is built has no steps, so that nothing of it can be cut. */
export function decideStep(size: StepSize, { atOnce }: { readonly atOnce: boolean }): StepDecision {
  const { vanished, splits, pieces } = size;
  if (vanished < VANISHINGS) return { kind: "take", vanished, splits, pieces };
  if (atOnce || splits >= MOST_SPLITS) return { kind: "give up", vanished: 0, splits, pieces };
  return { kind: "split", vanished: 0, splits: splits + 1, pieces: 2 * Math.max(1, pieces) };
}

/** Rows of a piece of a step of so many rows. */
export function rowsOfPiece(stepRows: number, { splits }: Pick<StepSize, "splits">): number {
  return Math.max(1, Math.ceil(stepRows / 2 ** splits));
}

/** Builders vanished at a step of the smallest size: a failure that the same rows repeat. */
export class StepTooLargeError extends Error {
  override readonly name = "StepTooLargeError";
}

/** Builders vanished at a table that is built at once. */
export class BuilderVanishedError extends Error {
  override readonly name = "BuilderVanishedError";
}
