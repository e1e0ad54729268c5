/** What contracts let go of: bronze past their retention, and data files that no published snapshot has any more. */
import type { Contract } from "../../../contracts/contract.ts";
import { formatDate } from "../../../schemas/time.ts";
import { type Expiry, forgetSuperseded, retireExpired } from "../../../sql/statements/retention.ts";

export interface RetentionDeps {
  readonly db: D1Database;
  readonly contracts: readonly Contract[];
}

const DAY_MS = 86_400_000;
/** Bronze files and snapshots of one run. */
const FILES_A_RUN = 1_000;
const SNAPSHOTS_A_RUN = 2_000;

/** One run at `now` (milliseconds since the epoch): safe at any time and twice at once. Objects are deleted a day later. Throws what D1 throws. */
export async function retire(
  { db, contracts }: RetentionDeps,
  now: number,
): Promise<{ readonly files: number; readonly snapshots: number; readonly more?: "now" }> {
  // What came in within a day is built first, however old its date: it is counted before it goes.
  const dayAgo = new Date(now - DAY_MS).toISOString();
  const files = await retireExpired(db, expiriesOf(contracts, now), dayAgo, FILES_A_RUN);
  const snapshots = await forgetSuperseded(db, dayAgo, SNAPSHOTS_A_RUN);
  const full = files === FILES_A_RUN || snapshots === SNAPSHOTS_A_RUN;
  return { files, snapshots, ...(full ? { more: "now" } : {}) };
}

/** The last date of each topic that ended as long ago as its contract keeps rows. Pure. */
export function expiriesOf(contracts: readonly Pick<Contract, "topic" | "sla">[], now: number): Expiry[] {
  return contracts.map(({ topic, sla }) => ({
    topic,
    lastDate: formatDate(Math.floor((now - sla.retentionMs) / DAY_MS) - 1),
  }));
}
