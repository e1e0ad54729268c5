/**
 * Which changes of a partition's inputs were rebuilds of the same inputs: statements of the commit. D1's table is `partition_replays`: under
 * another name the Worker of before a deploy could commit nothing while both run.
 */

import type { Guard } from "./guard.ts";
import type { Lease } from "./leases.ts";
import { IS_STALE, type StalePartition } from "./stale-partitions.ts";

/**
 * For a build that had nothing new: what reads the table has nothing new either, unless an input came while it was built.
 */
export function countRebuilds(
  { lease, dependents }: { readonly lease: Lease; readonly dependents: readonly StalePartition[] },
  { held, prepare }: Guard,
): D1PreparedStatement[] {
  return [
    prepare(
      `INSERT INTO partition_replays (domain, partition_date, replays)
       SELECT s.value ->> 'domain', s.value ->> 'date', 1 FROM json_each(?5) s
       WHERE ${held} AND ${IS_STALE} AND coalesce((SELECT version FROM partition_inputs WHERE domain = ?1 AND partition_date = ?2), 0) = ?6
       ON CONFLICT DO UPDATE SET replays = replays + 1`,
      // Those that are built again for a lookup are counted already.
      JSON.stringify(dependents.filter(({ unlessPinned }) => unlessPinned === undefined)),
      lease.version,
    ),
  ];
}

/** Notes which rebuilds of its inputs a build has seen. */
export function sawRebuilds({ rebuilds }: Lease, { held, prepare }: Guard): D1PreparedStatement[] {
  if (rebuilds === 0) return [];
  return [
    prepare(
      `UPDATE partition_replays SET built_replays = ?5 WHERE domain = ?1 AND partition_date = ?2 AND built_replays < ?5 AND ${held}`,
      rebuilds,
    ),
  ];
}
