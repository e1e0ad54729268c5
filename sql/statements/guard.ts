/** The condition that all statements of a commit share. */
import type { Lease } from "./leases.ts";

/**
 * Prepares a statement whose ?1 to ?3 are domain, date and run of the commit's lease (?4 is the guard's own), and in
 * which `held` says that the lease still stands: in a D1 batch a statement that matches nothing does not stop those behind it.
 */
export interface Guard {
  readonly held: string;
  prepare(sql: string, ...values: (string | number | null)[]): D1PreparedStatement;
}

/** The guard of a builder's commit: nothing happens once its lease is another's. */
export function leaseGuard(
  db: D1Database,
  { domain, date, runId, fence }: Pick<Lease, "domain" | "date" | "runId" | "fence">,
): Guard {
  return {
    held: "EXISTS (SELECT 1 FROM partition_leases WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND fence = ?4)",
    prepare: (sql, ...values) => db.prepare(sql).bind(domain, date, runId, fence, ...values),
  };
}
