/** The cron's duties of retention: what contracts let go of, and what builds left behind. */
import type { Contract } from "../contracts/contract.ts";
import { DEAD_LETTERS_TOPIC } from "../lakehouse/lookups/dead-letters/dead-letter.ts";
import { foldBronze } from "../lakehouse/tables/bronze/fold.ts";
import { publishAllBronze } from "../lakehouse/tables/bronze/pointer.ts";
import { foldClosed } from "../lakehouse/tables/fold.ts";
import { stagedPlaces } from "../lakehouse/tables/staged-places.ts";
import { buryAbandoned } from "../lakehouse/upkeep/retention/bury-abandoned.ts";
import { deletePayloads } from "../lakehouse/upkeep/retention/delete-payloads.ts";
import { forgetRuns } from "../lakehouse/upkeep/retention/forget-runs.ts";
import { retire } from "../lakehouse/upkeep/retention/retire.ts";
import type { Duty } from "./duties.ts";

export interface RetentionDutyDeps {
  readonly db: D1Database;
  readonly bucket: Pick<R2Bucket, "list" | "delete" | "get" | "head" | "put">;
  readonly contracts: readonly Contract[];
}

/** Once an hour: dates end once a day, and nothing else here is in a hurry. Each by itself, so that one which fails does not keep the others. */
export function retentionDuties({ db, bucket, contracts }: RetentionDutyDeps): Duty[] {
  const topics = contracts.map(({ topic }) => topic);
  const deadLetters = contracts.filter(({ topic }) => topic === DEAD_LETTERS_TOPIC);
  return [
    hourly("retention", (now) => retire({ db, bucket, contracts }, now)),
    hourly("folding", (now) => foldClosed(db, bucket, now)),
    hourly("bronze_pointers", () => publishAllBronze(db, bucket, contracts)),
    hourly("bronze_folding", (now) => foldBronze(db, bucket, topics, now)),
    hourly("abandoned_runs", (now) => buryAbandoned({ db, bucket, places: stagedPlaces }, now)),
    // Once a day: runs are kept for a month.
    { name: "runs", everyMinutes: 24 * 60, run: async (now, cursor) => ({ ...(await forgetRuns(db, now, cursor)) }) },
    ...deadLetters.map((contract) => hourly("payloads", (now) => deletePayloads({ db, bucket, contract }, now))),
  ];
}

function hourly(name: string, run: (now: number) => Promise<object>): Duty {
  return { name, everyMinutes: 60, run: async (now) => ({ ...(await run(now)) }) };
}
