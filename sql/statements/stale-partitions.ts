/** Partitions that a commit made stale: a statement of the commit. */
import type { Guard } from "./guard.ts";
import { ONE_MORE_CHANGE } from "./input-changes.ts";

/** A partition that was built of other input than there is now. */
export interface StalePartition {
  readonly domain: string;
  readonly date: string;
  /** Only where that partition is known already: a window reads days that may have no partition of their own. */
  readonly ifKnown: boolean;
  /**
   * A table that was committed after the partition had closed: only where the partition reads no version of it for good
   * (`lookup-pins.ts`). It is built again with the same rows of all else, which is no news.
   */
  readonly unlessPinned?: string;
}

/** Whether the element `s` of a list of `StalePartition`, as JSON, is one. */
export const IS_STALE = `(NOT (s.value ->> 'ifKnown') OR EXISTS (SELECT 1 FROM partition_inputs k
         WHERE k.domain = s.value ->> 'domain' AND k.partition_date = s.value ->> 'date'))
       AND (s.value ->> 'unlessPinned' IS NULL OR NOT EXISTS (SELECT 1 FROM lookup_pins q WHERE q.domain = s.value ->> 'domain'
         AND q.partition_date = s.value ->> 'date' AND q.table_name = s.value ->> 'unlessPinned'))`;

/** What reads the table has work: one more change of the inputs of each. */
export function markStale(stale: readonly StalePartition[], { held, prepare }: Guard): D1PreparedStatement[] {
  if (stale.length === 0) return [];
  const closed = stale.filter(({ unlessPinned }) => unlessPinned !== undefined);
  return [
    ...(closed.length === 0
      ? []
      : [
          prepare(
            `INSERT INTO partition_replays (domain, partition_date, replays)
             SELECT s.value ->> 'domain', s.value ->> 'date', 1 FROM json_each(?5) s WHERE ${held} AND ${IS_STALE}
             ON CONFLICT DO UPDATE SET replays = replays + 1`,
            JSON.stringify(closed),
          ),
        ]),
    prepare(
      `INSERT INTO partition_inputs (domain, partition_date, version)
       SELECT s.value ->> 'domain', s.value ->> 'date', 1 FROM json_each(?5) s WHERE ${held} AND ${IS_STALE}
       ON CONFLICT DO UPDATE SET ${ONE_MORE_CHANGE}`,
      JSON.stringify(stale),
    ),
  ];
}
