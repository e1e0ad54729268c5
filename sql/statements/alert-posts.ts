/** What is known of each alert event's way to the webhook. Times in milliseconds since the epoch are the tick's. */
import type * as z from "zod";
import { type ReadableRows, rowsOf } from "../rows/row.ts";

export interface WaitingPost<E> {
  readonly event_id: string;
  readonly event: E;
  readonly made_at: string;
  readonly post_attempts: number;
  readonly post_after: number;
}

/** Events that are not known to be posted, oldest first. One whose row was edited keeps no other from being posted. */
export async function waitingPosts<E>(
  db: D1Database,
  event: z.ZodType<E>,
  limit: number,
): Promise<ReadableRows<WaitingPost<E>>> {
  const posts = rowsOf(
    {
      table: "alert_events",
      key: ["event_id"],
      remedy: "set its post_state to 'skipped': the alert is then not posted",
    },
    (row): WaitingPost<E> => ({
      event_id: row.text("event_id"),
      event: row.json("event", event),
      made_at: row.time("made_at"),
      post_attempts: row.integer("post_attempts"),
      post_after: row.integer("post_after"),
    }),
  );
  return posts.readable(
    await db
      .prepare(
        `SELECT event_id, event, made_at, post_attempts, post_after FROM alert_events WHERE post_state = 'waiting' ORDER BY id LIMIT ?1`,
      )
      .bind(limit)
      .all(),
  );
}

/** Takes the next attempt at an event until `until`; false: another tick has it, or it is done. */
export async function claimPost(db: D1Database, eventId: string, attempts: number, until: number): Promise<boolean> {
  const row = await db
    .prepare(
      `UPDATE alert_events SET post_attempts = ?2 + 1, post_after = ?3
       WHERE event_id = ?1 AND post_attempts = ?2 AND post_state = 'waiting' RETURNING event_id`,
    )
    .bind(eventId, attempts, until)
    .first();
  return row !== null;
}

/** What an event's way ends with. */
export type PostEnd = "posted" | "refused" | "expired";

export async function endPost(db: D1Database, eventId: string, state: PostEnd): Promise<void> {
  await db.prepare("UPDATE alert_events SET post_state = ?2 WHERE event_id = ?1").bind(eventId, state).run();
}

/** Sets when a claimed event is tried again. */
export async function delayPost(db: D1Database, eventId: string, after: number): Promise<void> {
  await db.prepare("UPDATE alert_events SET post_after = ?2 WHERE event_id = ?1").bind(eventId, after).run();
}

/** Gives up all that wait, since there is nowhere to post them; how many. */
export async function skipPosts(db: D1Database): Promise<number> {
  const { results } = await db
    .prepare("UPDATE alert_events SET post_state = 'skipped' WHERE post_state = 'waiting' RETURNING id")
    .all();
  return results.length;
}
