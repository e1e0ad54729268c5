/**
 * The manifest of a partition's version: one immutable JSON object with its files, under `<directory>/metadata/`. Its name says date and
 * version, so that it may be written again at any time. Readers find it through `current.json`; D1 gives a closed partition's files up
 * to it (`fold.ts`).
 */
import * as z from "zod";
import { FILE_KINDS, type FileRow, storedHolds, storedStatistics } from "../../sql/statements/data-files.ts";
import type { TableBase } from "./catalog.ts";
import { type LakeBucket, MissingObjectError } from "./lake.ts";

const file = z.object({
  file: z.string(),
  kind: z.enum(FILE_KINDS),
  added: z.int(),
  rows: z.int(),
  bytes: z.int(),
  stats: storedStatistics.optional(),
  holds: storedHolds.optional(),
});
const manifest = z.object({
  format: z.literal(1),
  table: z.string(),
  partition: z.string(),
  version: z.int(),
  rows: z.int(),
  files: z.array(file),
});

export type ManifestFile = z.infer<typeof file>;
export type Manifest = z.infer<typeof manifest>;
/** As a manifest is written. */
export type ManifestContent = Omit<Manifest, "files"> & { readonly files: readonly ManifestFile[] };

export function manifestKey({ directory }: Pick<TableBase, "directory">, date: string, version: number): string {
  return `${directory}/metadata/${date}-v${version}.json`;
}

/** A row of D1 as a manifest has it. */
export function manifestFile({ partition_date: _, ...file }: FileRow): ManifestFile {
  return file;
}

/** Writes it unless it is there. */
export async function putManifest(bucket: LakeBucket, key: string, content: ManifestContent): Promise<void> {
  await bucket.put(key, `${JSON.stringify(content)}\n`, {
    onlyIf: { etagDoesNotMatch: "*" },
    httpMetadata: { contentType: "application/json" },
  });
}

/** Throws MissingObjectError, and what is wrong with an object of that name that is no manifest. */
export async function readManifest(bucket: Pick<LakeBucket, "get">, key: string): Promise<Manifest> {
  const object = await bucket.get(key);
  if (object === null) throw new MissingObjectError(`${key} is listed in the catalog but is not in the bucket`);
  return parseManifest(await object.text());
}

export function parseManifest(text: string): Manifest {
  return manifest.parse(JSON.parse(text));
}
