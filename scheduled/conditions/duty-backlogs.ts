/** Duties of the cron that have left work behind for an hour: they do less than a deployment makes them. */
import { dutyBacklogs } from "../../sql/statements/duty-backlogs.ts";
import type { Condition, ConditionSource } from "./condition.ts";

/** A duty that is behind runs at every tick and many times in each: what it does not catch up with in an hour grows. */
const PATIENCE_MS = 3_600_000;

export function dutyBacklogsSource(db: D1Database): ConditionSource {
  return {
    name: "duty_backlogs",
    async find(now) {
      const rows = await dutyBacklogs(db);
      return rows.flatMap(({ duty, since }): Condition[] => {
        const minutes = Math.floor((now - Date.parse(since)) / 60_000);
        if (minutes * 60_000 < PATIENCE_MS) return [];
        return [
          {
            key: `upkeep_behind/${duty}`,
            kind: "upkeep_behind",
            severity: "warning",
            message:
              `The cron's duty ${duty} has not done all its work since ${since}, though it ran at every tick. ` +
              "Nothing is lost; what it tidies or watches grows. The Worker's log has a line for each run (event duty) with what it did and how long that took; " +
              "docs/operations.md, Duties that fall behind, says what limits each.",
            measured: minutes,
            bound: PATIENCE_MS / 60_000,
          },
        ];
      });
    },
  };
}
