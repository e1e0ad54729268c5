/** The condition that all statements of a commit share. */

/**
 * Prepares a statement whose ?1 to ?3 are domain, date and run of the commit's lease (?4 is the guard's own), and in
 * which `held` says that the lease still stands: in a D1 batch a statement that matches nothing does not stop those behind it.
 */
export interface Guard {
  readonly held: string;
  prepare(sql: string, ...values: (string | number | null)[]): D1PreparedStatement;
}
