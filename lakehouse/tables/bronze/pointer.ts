/**
 * What readers without D1 follow to a topic's bronze: `bronze/<topic>/current.json` has the files that stand, those of folded dates by
 * their manifests; `views.sql` beside it makes DuckDB's macro of them. Compaction leaves what it replaced in the folders for a day, so a
 * glob would count rows twice. The pointer is written with the topic's builds and hourly, the views hourly; a writer that read D1
 * earlier never overwrites one that read it later.
 */
import { createHash } from "node:crypto";
import type { Contract } from "../../../contracts/contract.ts";
import { type LiveBronze, type LiveFile, liveBronze } from "../../../sql/statements/bronze-live.ts";
import { bronzeFields, evolvedFields } from "../../bronze/table.ts";
import type { LakeBucket } from "../lake.ts";
import { manifestFiles } from "./files-page.ts";
import { bronzeDirectory, bronzeTableName } from "./manifest.ts";
import { bronzeViewsSql, type DateOfViews, datesOfViews } from "./views.ts";

/** Raised with the form of either object: one of another form is written anew. */
const FORMAT = "1";
const ATTEMPTS = 5;

/** Brings the pointer up to D1's present state. Throws what D1 and R2 throw. */
export async function publishBronzePointer(db: D1Database, bucket: LakeBucket, contract: Contract): Promise<void> {
  const live = await liveBronze(db, contract.topic);
  if (!isEmpty(live)) await putPointer(bucket, contract, live);
}

/** Both files of every topic. A topic that fails keeps no other from its turn. Throws the first failure. */
export async function publishAllBronze(
  db: D1Database,
  bucket: LakeBucket,
  contracts: readonly Contract[],
): Promise<{ readonly topics: number }> {
  const failures: unknown[] = [];
  for (const contract of contracts) await publishBronze(db, bucket, contract).catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
  return { topics: contracts.length };
}

/** Both files. Throws what D1 and R2 throw. */
export async function publishBronze(db: D1Database, bucket: LakeBucket, contract: Contract): Promise<void> {
  const live = await liveBronze(db, contract.topic);
  if (isEmpty(live)) return;
  await putPointer(bucket, contract, live);
  await putViews(bucket, contract, live);
}

async function putPointer(bucket: LakeBucket, { topic, partition }: Contract, live: LiveBronze): Promise<void> {
  const content = {
    format: 2,
    table: bronzeTableName(topic),
    registration: live.registration,
    partition_column: partition.column,
    manifests: live.folded.map(({ partition_date, rows, manifest }) => ({ partition: partition_date, rows, manifest })),
    files: live.files.map(fileOfPointer),
  };
  const key = `${bronzeDirectory(topic)}/current.json`;
  const standing = await bucket.head(key);
  const text = `${JSON.stringify(content)}\n`;
  await putIfNewer(bucket, { key, text, contentType: "application/json", digest: digestOf(text) }, live.asOf, standing);
}

async function putViews(bucket: LakeBucket, contract: Contract, live: LiveBronze): Promise<void> {
  const key = `${bronzeDirectory(contract.topic)}/views.sql`;
  const standing = await bucket.get(key);
  const known = standing === null ? [] : datesOfViews(await standing.text());
  const dates: DateOfViews[] = [];
  for (const { partition_date: date, manifest } of live.folded) {
    const same = known.find((each) => each.date === date && each.manifest === manifest);
    const files = same?.files ?? (await manifestFiles(bucket, date, manifest)).map(({ file }) => file);
    dates.push({ date, manifest, files });
  }
  for (const [date, files] of Map.groupBy(live.files, (file) => file.partition_date))
    dates.push({ date, manifest: null, files: files.map(({ file }) => file) });
  const table = {
    name: bronzeTableName(contract.topic),
    partition: contract.partition.column,
    fields: bronzeFields(contract),
    evolved: evolvedFields(contract),
  };
  const text = bronzeViewsSql(table, dates);
  await putIfNewer(bucket, { key, text, contentType: "application/sql", digest: digestOf(text) }, live.asOf, standing);
}

function fileOfPointer({ partition_date: partition, ...file }: LiveFile) {
  return { partition, ...file };
}

/** A topic that never had an event has no bronze to point to. */
function isEmpty({ folded, files }: LiveBronze): boolean {
  return folded.length === 0 && files.length === 0;
}

interface Projection {
  readonly key: string;
  readonly text: string;
  readonly contentType: string;
  readonly digest: string;
}

/** `standing`: what stood there when it was looked at; each look is billed. What says the same already stays. */
async function putIfNewer(
  bucket: LakeBucket,
  { key, text, contentType, digest }: Projection,
  asOf: number,
  standing: R2Object | null,
): Promise<void> {
  let current = standing;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { format, as_of: at, digest: same } = current?.customMetadata ?? {};
    if (format === FORMAT && (same === digest || Number(at) > asOf)) return;
    const put = await bucket.put(key, text, {
      onlyIf: current === null ? { etagDoesNotMatch: "*" } : { etagMatches: current.etag },
      customMetadata: { format: FORMAT, as_of: String(asOf), digest },
      httpMetadata: { contentType },
    });
    if (put !== null) return;
    current = await bucket.head(key);
  }
  // Every loss was to another writer; the last of them wrote a state at least as new as ours was.
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
