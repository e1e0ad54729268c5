/** The size of a partition's present step, once builders vanished at it. */
import { leaseGuard } from "./guard.ts";
import type { Lease, StepSize } from "./leases.ts";

/** Notes the size of the present step while the lease is this run's. A step that is smaller than before has all its retries. */
export function noteStepSize(db: D1Database, lease: Lease, size: StepSize): D1PreparedStatement[] {
  const { held, prepare } = leaseGuard(db, lease);
  const noted = prepare(
    `UPDATE partition_leases SET vanished = ?5, splits = ?6, pieces = ?7
     WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND fence = ?4`,
    size.vanished,
    size.splits,
    size.pieces,
  );
  if (size.splits <= lease.splits) return [noted];
  return [
    noted,
    prepare(`UPDATE partition_meta SET retry_count = 0 WHERE domain = ?1 AND partition_date = ?2 AND ${held}`),
  ];
}
