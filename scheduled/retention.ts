/** The cron's duty of retention. */
import { type RetentionDeps, retire } from "../lakehouse/retention/retire.ts";
import type { Duty } from "./duties.ts";

/** Once an hour: dates end once a day, and snapshots are given up a day after they were committed. */
export function retentionDuty(deps: RetentionDeps): Duty {
  return { name: "retention", everyMinutes: 60, run: async (now) => ({ ...(await retire(deps, now)) }) };
}
