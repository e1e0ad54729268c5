/** What a partition's builds know of it, kept as JSON between two steps: never a row, never a list that grows with the day's files. */
import { createHash } from "node:crypto";
import * as z from "zod";
import type { OutcomeLine } from "../../../sql/statements/bronze-terms.ts";
import { typeName } from "../../engine/columns/column-kind.ts";
import { IDENTITY_BYTES } from "../../engine/keys/identity.ts";
import type { TopicTable } from "../../tables/catalog.ts";
import { digestOf } from "../digest.ts";
import { measuresSchema } from "../gates/measures.ts";
import { inlineBytes } from "../inline.ts";
import type { Portion } from "./portion.ts";
import type { StepOutput } from "./step.ts";
import { sumOfTerms } from "./term-counts.ts";

const TERMS = ["silver", "superseded", "quarantined", "expired"] as const satisfies readonly OutcomeLine["term"][];
const hourOfEvents = z.object({ hour: z.string(), events: z.int().nonnegative() });

const keyObject = z.object({ object: z.string(), bytes: z.int().multipleOf(IDENTITY_BYTES) });
/** Where the known keys of each space stand: some tens of objects, since small ones are joined, and here the newest ones while they are few. */
export const knownKeysSchema = z.record(z.string(), z.array(z.union([keyObject, inlineBytes])));
export type KeptKeys = z.infer<typeof knownKeysSchema>[string][number];
export type KeyObject = z.infer<typeof keyObject>;

const progressSchema = z.object({
  /** What decided the rows so far (`definitionOf`). */
  definition: z.string(),
  /** The columns so far, by name, with their types. */
  columns: z.record(z.string(), z.string()),
  /** The registration through which bronze is read. */
  seen: z.int().nonnegative(),
  /** Rows that are read of the first flush behind it. */
  partRead: z.int().nonnegative().default(0),
  /** Chained over the names of the flushes' files (`lakehouse/builds/digest.ts`). */
  digest: z.string(),
  inputs: z.int().nonnegative(),
  rowsIn: z.int().nonnegative(),
  kept: z.int().nonnegative(),
  quarantined: z.int().nonnegative(),
  /** The checks whose failing rows are kept out. */
  taking: z.array(z.string()),
  measures: measuresSchema,
  terms: z.object({
    duplicates: z.array(hourOfEvents).readonly(),
    outcomes: z.array(hourOfEvents.extend({ term: z.enum(TERMS), replayed: z.int().nonnegative() })).readonly(),
  }),
  keys: knownKeysSchema,
  /** Objects of keys that were joined into others, and go once that is published. */
  replaced: z.array(z.string()),
});
export type SilverProgress = z.infer<typeof progressSchema>;

/** Throws an Error that says where the row stands: somebody changed it by hand. */
export function parseProgress(text: string, topic: string, date: string): SilverProgress {
  const parsed = progressSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(
    `silver_progress of ${topic} ${date} is not what a build wrote: ${z.prettifyError(parsed.error)}; delete the row, and the partition is built from its beginning`,
  );
}

export function noProgress(table: TopicTable, taking: readonly string[]): SilverProgress {
  return {
    definition: definitionOf(table),
    columns: columnsOf(table),
    seen: 0,
    partRead: 0,
    digest: "",
    inputs: 0,
    rowsIn: 0,
    kept: 0,
    quarantined: 0,
    taking: [...taking],
    measures: {},
    terms: { duplicates: [], outcomes: [] },
    keys: {},
    replaced: [],
  };
}

/** What decides which rows silver has and what its checks measured. Another one makes what was built so far worthless to go on from. */
export function definitionOf({ contract, checks }: Pick<TopicTable, "contract" | "checks">): string {
  const rules = checks.map((check) => ({ ...check, compiled: undefined, when: undefined }));
  return createHash("sha256")
    .update(JSON.stringify([contract.dedupeKey, rules]))
    .digest("hex")
    .slice(0, 32);
}

function columnsOf({ fields }: Pick<TopicTable, "fields">): SilverProgress["columns"] {
  return Object.fromEntries(fields.map(({ name, type }) => [name, typeName(type)]));
}

/** Whether a build may go on from here: the rows so far are what they would be today, but for columns that are new and optional. */
export function fits(progress: SilverProgress, table: TopicTable): boolean {
  if (progress.definition !== definitionOf(table)) return false;
  const today = columnsOf(table);
  const same = Object.entries(progress.columns).every(([name, type]) => today[name] === type);
  return same && table.fields.every(({ name, nullable }) => nullable || progress.columns[name] !== undefined);
}

/** The progress after a step that read so many rows of a portion. */
export function advanced(
  before: SilverProgress,
  table: TopicTable,
  { through, partRead, ended }: Pick<Portion, "through" | "partRead" | "ended">,
  rowsRead: number,
  step: Pick<StepOutput, "kept" | "quarantined" | "measures" | "terms">,
  keys: Pick<SilverProgress, "keys" | "replaced">,
): SilverProgress {
  return {
    ...before,
    ...keys,
    columns: columnsOf(table),
    seen: through,
    partRead,
    digest: digestOf(ended, before.digest),
    inputs: before.inputs + ended.length,
    rowsIn: before.rowsIn + rowsRead,
    kept: before.kept + step.kept,
    quarantined: before.quarantined + step.quarantined,
    measures: step.measures,
    terms: sumOfTerms(before.terms, step.terms),
  };
}
