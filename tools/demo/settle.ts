/** Waits until what was sent has gone all the way: queues empty, buffers flushed, every partition built. */
import { setTimeout as delay } from "node:timers/promises";
import { readMessageCounts } from "../local-platform/drain.ts";
import type { Platform } from "../local-platform/platform.ts";
import { readAgain } from "../local-platform/read-again.ts";

/** What the platform says of itself: it comes when it comes, and is not counted. */
export const OWN_TOPICS: readonly string[] = ["pipeline_alerts", "schema_changes"];

export interface Standing {
  /** Events of producers, and dead letters, that buffers appended, by D1's ledger. */
  readonly appended: number;
  readonly bronzeRows: number;
  /** Partitions that are not DONE, or whose inputs no build has seen. */
  readonly unbuilt: number;
  readonly failed: readonly string[];
}

export async function standing(platform: Platform): Promise<Standing> {
  const row = await platform.db
    .prepare(
      `SELECT (SELECT coalesce(sum(events), 0) FROM ledger WHERE topic NOT IN (SELECT value FROM json_each(?1))) AS appended,
              (SELECT coalesce(sum(rows), 0) FROM bronze_files WHERE topic NOT IN (SELECT value FROM json_each(?1))) AS bronze_rows,
              (SELECT count(*) FROM partition_meta WHERE status NOT IN ('DONE', 'FAILED', 'DEAD')) +
              (SELECT count(*) FROM partition_inputs i LEFT JOIN partition_meta m USING (domain, partition_date)
                WHERE i.version <> i.built_version AND coalesce(m.status, 'UNDISCOVERED') NOT IN ('FAILED', 'DEAD')) AS unbuilt`,
    )
    .bind(JSON.stringify(OWN_TOPICS))
    .first<{ appended: number; bronze_rows: number; unbuilt: number }>();
  const failed = await platform.db
    .prepare(
      "SELECT domain || ' ' || partition_date || ': ' || coalesce(error_message, '') AS text FROM partition_meta WHERE status IN ('FAILED', 'DEAD')",
    )
    .all<{ text: string }>();
  return {
    appended: row?.appended ?? 0,
    bronzeRows: row?.bronze_rows ?? 0,
    unbuilt: row?.unbuilt ?? 0,
    failed: failed.results.map(({ text }) => text),
  };
}

/**
 * Resolves with the last standing once `appended` events are in bronze and everything is built, or when the time is up:
 * the checks that follow then say what is missing.
 */
export async function settle(
  platform: Platform,
  appended: number,
  timeoutMs: number,
  onProgress: (standing: Standing) => void,
): Promise<Standing> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const counts = await readMessageCounts(platform.url);
    const now = await readAgain(() => standing(platform));
    onProgress(now);
    const queued = counts === undefined || counts.sent > counts.acknowledged;
    const done = !queued && now.appended >= appended && now.bronzeRows === now.appended && now.unbuilt === 0;
    if (done || performance.now() > deadline) return now;
    await delay(250);
  }
}
