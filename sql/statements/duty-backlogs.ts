/** Duties of the cron that did not do all there was: few rows, or none. */
import type * as z from "zod";
import { rowsOf } from "../rows/row.ts";

export interface DutyBacklog {
  readonly duty: string;
  /** The first tick that left work, ISO 8601 UTC. */
  readonly since: string;
  /** Where the next run goes on; null: it finds by itself what is left. */
  readonly cursor: string | null;
}

// `since` as it is: the cron runs by these rows, and a time that is none must not stop it. The alert of a backlog quotes it.
const BACKLOGS = rowsOf(
  { table: "duty_backlogs", key: ["duty"], remedy: "delete the row: the duty begins anew" },
  (row): DutyBacklog => ({
    duty: row.text("duty"),
    since: row.text("since"),
    cursor: row.textOrNull("cursor"),
  }),
);

export async function dutyBacklogs(db: D1Database): Promise<DutyBacklog[]> {
  return await BACKLOGS.all(db.prepare("SELECT duty, since, cursor FROM duty_backlogs ORDER BY duty"));
}

/** The place at which a duty goes on. null, which begins it anew: the cursor is of another version, or somebody edited it. */
export function readCursor<T>(text: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Notes those that left work, each from its first tick on, and forgets those that are done. Writes nothing where nothing changed. */
export async function noteDutyBacklogs(
  db: D1Database,
  left: readonly { readonly duty: string; readonly cursor: string | null }[],
  done: readonly string[],
  now: string,
): Promise<void> {
  await db.batch([
    db
      .prepare(
        `INSERT INTO duty_backlogs (duty, since, cursor) SELECT value ->> 'duty', ?2, value ->> 'cursor' FROM json_each(?1) WHERE true
         ON CONFLICT DO UPDATE SET cursor = excluded.cursor WHERE cursor IS NOT excluded.cursor`,
      )
      .bind(JSON.stringify(left), now),
    db.prepare("DELETE FROM duty_backlogs WHERE duty IN (SELECT value FROM json_each(?))").bind(JSON.stringify(done)),
  ]);
}
