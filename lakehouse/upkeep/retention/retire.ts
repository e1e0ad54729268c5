/** What is let go of: bronze past its contract's retention, and versions of tables that are kept no longer. */
import type { Contract } from "../../../contracts/contract.ts";
import { formatDate } from "../../../schemas/time.ts";
import { type Expiry, retireExpired } from "../../../sql/statements/retention.ts";
import { thinVersions } from "../../../sql/statements/thinning.ts";
import { tables } from "../../tables/catalog.ts";
import type { LakeBucket } from "../../tables/lake.ts";
import { retireFoldedDates } from "./retire-folded.ts";

export interface RetentionDeps {
  readonly db: D1Database;
  readonly bucket: Pick<LakeBucket, "get" | "put">;
  readonly contracts: readonly Contract[];
}

const DAY_MS = 86_400_000;
/** Bronze files and versions of one run. */
const FILES_A_RUN = 1_000;
const VERSIONS_A_RUN = 2_000;

/** How long every version of a table is kept, one an hour and one a day of each partition; after that the one that stood then. */
const KEPT_MS = { all: 2 * 3_600_000, hourly: 2 * DAY_MS, daily: 30 * DAY_MS };

const NOTHING = { files: 0, full: false };

const DIRECTORIES = Object.fromEntries(tables.map(({ name, directory }) => [name, directory]));

/** One run at `now` (milliseconds since the epoch): safe at any time and twice at once. Objects are deleted a day later. Throws what D1 throws. */
export async function retire(
  { db, bucket, contracts }: RetentionDeps,
  now: number,
): Promise<{ readonly files: number; readonly versions: number; readonly more?: "now" }> {
  const before = (ms: number): string => new Date(now - ms).toISOString();
  // What came in within a day is built first, however old its date: it is counted before it goes.
  const expiries = expiriesOf(contracts, now);
  const files = expiries.length === 0 ? 0 : await retireExpired(db, expiries, before(DAY_MS), FILES_A_RUN);
  const folded = expiries.length === 0 ? NOTHING : await retireFoldedDates(db, bucket, expiries);
  const kept = { all: before(KEPT_MS.all), hourly: before(KEPT_MS.hourly), daily: before(KEPT_MS.daily) };
  const versions = await thinVersions(db, kept, DIRECTORIES, VERSIONS_A_RUN);
  const full = files === FILES_A_RUN || folded.full || versions === VERSIONS_A_RUN;
  return { files: files + folded.files, versions, ...(full ? { more: "now" } : {}) };
}

/** The last date that ended as long ago as its contract keeps bronze, of each topic that does not keep it for good. Pure. */
export function expiriesOf(contracts: readonly Pick<Contract, "topic" | "sla">[], now: number): Expiry[] {
  return contracts.flatMap(({ topic, sla: { retentionMs } }) =>
    retentionMs === undefined ? [] : [{ topic, lastDate: formatDate(Math.floor((now - retentionMs) / DAY_MS) - 1) }],
  );
}
