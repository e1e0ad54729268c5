/**
 * The manifest of a date of bronze: one immutable object that says where its rows stand and under which positions, as D1 does of dates
 * that are not folded. Its name has its own digest, so that it may be written again at any time.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import type { BronzeInput } from "../../../sql/statements/bronze-inputs.ts";
import { type LakeBucket, MissingObjectError } from "../lake.ts";

const input = z.object({
  registration: z.int(),
  file: z.string(),
  first_row: z.int(),
  rows: z.int(),
  registered_at: z.string(),
  /** The first of these rows in the file in which they stand. */
  stored_row: z.int(),
});
const file = z.object({
  /** R2 key. */
  file: z.string(),
  /** This date's rows in it: [first_row, first_row + rows). */
  first_row: z.int(),
  rows: z.int(),
  bytes: z.int(),
  shard: z.int(),
  shard_of: z.int(),
  min_received: z.string(),
  max_received: z.string(),
  registered_at: z.string(),
  /** The last date that has rows in it, as far as was known: retention must not delete it before. */
  last_date: z.string(),
  /** Retention let it go: the object is deleted. */
  retired: z.literal(true).optional(),
  /** The files of flushes whose rows it has, by registration. */
  inputs: z.array(input).readonly(),
});
const manifest = z.object({
  format: z.literal(1),
  table: z.string(),
  partition: z.string(),
  /** Files that are not retired. */
  rows: z.int(),
  files: z.array(file).readonly(),
});

export type StandingFile = z.infer<typeof file>;
export type BronzeManifest = z.infer<typeof manifest>;

export function bronzeDirectory(topic: string): string {
  return `bronze/${topic}`;
}

/** As views and `npm run query` have it. */
export function bronzeTableName(topic: string): string {
  return `bronze_${topic}`;
}

/** A manifest as it is written, and the key that its digest gives it. */
export function namedManifest(
  topic: string,
  partition: string,
  files: readonly StandingFile[],
): { readonly key: string; readonly text: string } {
  const rows = files.reduce((sum, each) => sum + (each.retired === true ? 0 : each.rows), 0);
  const content: BronzeManifest = { format: 1, table: bronzeTableName(topic), partition, rows, files };
  const text = `${JSON.stringify(content)}\n`;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { key: `${bronzeDirectory(topic)}/metadata/${partition}-${digest}.json`, text };
}

/** Writes it unless it is there. */
export async function putBronzeManifest(bucket: Pick<LakeBucket, "put">, key: string, text: string): Promise<void> {
  await bucket.put(key, text, {
    onlyIf: { etagDoesNotMatch: "*" },
    httpMetadata: { contentType: "application/json" },
  });
}

/** Throws MissingObjectError, and what is wrong with an object of that name that is no manifest. */
export async function readBronzeManifest(bucket: Pick<LakeBucket, "get">, key: string): Promise<BronzeManifest> {
  const object = await bucket.get(key);
  if (object === null) throw new MissingObjectError(`${key} is listed in the catalog but is not in the bucket`);
  return parseBronzeManifest(await object.text());
}

export function parseBronzeManifest(text: string): BronzeManifest {
  return manifest.parse(JSON.parse(text));
}

/** The inputs in the order of their registration, placed as `bronze-inputs.ts` places those of D1. Pure. */
export function inputsOf({ files }: Pick<BronzeManifest, "files">): BronzeInput[] {
  return files
    .flatMap(({ file: stored_file, inputs }) =>
      inputs.map(({ registered_at: _, ...each }) => ({ ...each, stored_file })),
    )
    .sort((a, b) => a.registration - b.registration);
}
