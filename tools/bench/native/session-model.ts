/** The project with a model that only DuckDB builds: clicks in the order of their sessions. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, buildBundle } from "../../build/bundle.ts";
import { compileProject } from "../../build/compile.ts";
import { copyProject } from "../project-copy.ts";

export const SESSIONS = "click_sessions";

export const SESSIONS_SQL = `SELECT event_date, session_id, count(*) AS clicks, max(pause_ms) AS longest_pause_ms, sum(duration_ms)::BIGINT AS spent_ms
FROM (
  SELECT event_date, session_id, duration_ms,
    date_diff('millisecond', lag(event_timestamp) OVER (PARTITION BY event_date, session_id ORDER BY event_timestamp, event_id), event_timestamp) AS pause_ms
  FROM silver_clickstream
)
GROUP BY event_date, session_id`;

const FRONT_MATTER = `/* ---
description: Sessions of a day, with the longest pause between two clicks
partition: event_date
key: [event_date, session_id]
checks:
  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }
  - { metric: duplicateValues, columns: [event_date, session_id], mustBe: 0, on_fail: block }
--- */
`;

export async function projectWithSessions(root: string, to: string): Promise<Bundle> {
  copyProject(root, to);
  writeFileSync(join(to, `sql/gold/${SESSIONS}.sql`), `${FRONT_MATTER}${SESSIONS_SQL}\n`);
  await compileProject(to);
  return buildBundle({ root: to, outdir: "dist" });
}
