/** What a model's builds know of a partition, kept as JSON between two steps: what is read, and where the partial result stands. */
import { createHash } from "node:crypto";
import * as z from "zod";
import type { EdgeModelTable } from "../../tables/catalog.ts";
import { measuresSchema } from "../gates/measures.ts";
import { inlineBytes, objectNames } from "../inline.ts";
import { knownKeysSchema } from "../silver/progress.ts";
import { readInputs } from "./portion.ts";

const partialObject = z.object({ object: z.string(), bytes: z.int().positive(), sha256: z.string() });

const progressSchema = z.object({
  /** What decided the rows so far (`definitionOf`). */
  definition: z.string(),
  /** What is read row by row. */
  read: readInputs,
  /** What is looked up, each partition with its version: every row so far met these. */
  lookups: z.array(z.object({ table: z.string(), date: z.string(), version: z.int() })),
  rowsIn: z.int().nonnegative(),
  /** Rows of the table so far; of a model of class `merge` only known at its gate. */
  rows: z.int().nonnegative(),
  /** The partial result of a model of class `merge`: objects whose bytes follow one another, or the bytes themselves where they are few. */
  partial: z.array(z.union([partialObject, inlineBytes])),
  /** Measures of the checks of a model of class `rows`, and the keys that they know. */
  measures: measuresSchema,
  keys: knownKeysSchema,
  /** Objects that others took the place of, and go once that is published. */
  replaced: z.array(z.string()),
});
export type ModelProgress = z.infer<typeof progressSchema>;
export type KeptPartial = ModelProgress["partial"][number];

/** Throws an Error that says where the row stands: somebody changed it by hand. */
export function parseProgress(text: string, model: string, date: string): ModelProgress {
  const parsed = progressSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(
    `silver_progress of ${model} ${date} is not what a build wrote: ${z.prettifyError(parsed.error)}; delete the row, and the partition is built from its beginning`,
  );
}

export function noProgress(table: EdgeModelTable, lookups: ModelProgress["lookups"]): ModelProgress {
  return {
    definition: definitionOf(table),
    read: [],
    lookups: [...lookups],
    rowsIn: 0,
    rows: 0,
    partial: [],
    measures: {},
    keys: {},
    replaced: [],
  };
}

/**
 * What decides which rows a model gives and what of them is measured row by row. Another one makes what was built so far worthless to go
 * on from.
 */
export function definitionOf({ model, checks }: Pick<EdgeModelTable, "model" | "checks">): string {
  const measured =
    model.class.kind === "rows"
      ? checks.filter(({ metric }) => metric !== "sql").map((check) => ({ ...check, when: undefined }))
      : [];
  return createHash("sha256")
    .update(JSON.stringify([model.class.kind, model.generation, measured]))
    .digest("hex")
    .slice(0, 32);
}

/** The objects that some progress names and the one that stays does not. */
export function objectsBeside(
  given: readonly (ModelProgress | undefined)[],
  stays: ModelProgress | undefined,
): string[] {
  const kept = new Set(stays === undefined ? [] : namesOf(stays));
  const named = given.flatMap((progress) => (progress === undefined ? [] : namesOf(progress)));
  return [...new Set(named)].filter((object) => !kept.has(object));
}

function namesOf({ partial, keys, replaced }: ModelProgress): string[] {
  return [...objectNames(partial), ...Object.values(keys).flatMap(objectNames), ...replaced];
}
