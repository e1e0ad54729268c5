/** The cron's part of the compaction of tables: finds the partitions that are worth one and sends a message for each. */
import * as z from "zod";
import { readCursor } from "../../../sql/statements/duty-backlogs.ts";
import { partitionsWithSmallFiles, type SmallFilesOfPartition } from "../../../sql/statements/table-compaction.ts";
import { grows } from "../../builds/models/inputs.ts";
import { tableByName, tables } from "../../tables/catalog.ts";
import type { LakeBucket } from "../../tables/lake.ts";
import { livePartition } from "../../tables/live-files.ts";
import { groupsOf } from "./compact.ts";
import { type CompactionRule, TABLE_COMPACTION } from "./plan.ts";

/** A message of the builds queue: some small files of one partition become few. */
export interface TableCompactionRequest {
  readonly kind: "table_compaction";
  readonly domain: string;
  readonly date: string;
}

export interface TableCompactionScheduleDeps {
  readonly db: D1Database;
  readonly bucket: Pick<LakeBucket, "get">;
  readonly builds: { sendBatch(messages: { body: TableCompactionRequest }[]): Promise<unknown> };
  readonly rule?: CompactionRule;
}

/** Each costs two queries; a queue takes as many messages at once. */
const PARTITIONS_A_RUN = 100;

/** Tables whose versions add files to those that are there. */
const growing = tables.filter(({ name }) => grows(name)).map(({ name }) => name);

const partition: z.ZodType<SmallFilesOfPartition> = z.object({ table_name: z.string(), partition_date: z.string() });

/**
 * One run at `now`, milliseconds since the epoch: safe at any time and twice at once, since who compacts looks again. A message that is
 * lost is sent again an hour later. Throws what D1, R2 and the queue throw.
 */
export async function planTableCompaction(
  { db, bucket, builds, rule = TABLE_COMPACTION }: TableCompactionScheduleDeps,
  now: number,
  cursor: string | null,
): Promise<{ readonly queued: number; readonly more?: "now"; readonly cursor?: string }> {
  const after = cursor === null ? null : readCursor(cursor, partition);
  const found = await partitionsWithSmallFiles(db, growing, rule.smallBytes, after, PARTITIONS_A_RUN);
  const requests: TableCompactionRequest[] = [];
  for (const { table_name, partition_date: date } of found) {
    const table = tableByName(table_name);
    const live = await livePartition(db, bucket, table_name, date);
    if (table === undefined || live === undefined || groupsOf(live, table, now, rule).length === 0) continue;
    requests.push({ kind: "table_compaction", domain: table.domain, date });
  }
  if (requests.length > 0) await builds.sendBatch(requests.map((body) => ({ body })));
  const last = found.at(-1);
  if (found.length < PARTITIONS_A_RUN || last === undefined) return { queued: requests.length };
  return { queued: requests.length, more: "now", cursor: JSON.stringify(last) };
}
