/** Runs and results of checks as calls answer with them. */
import type { WaitingChecks } from "../lakehouse/lookups/partitions/waiting-checks.ts";
import { timeOf } from "../lakehouse/lookups/partitions/waits.ts";
import { type Table, tableOfDomain } from "../lakehouse/tables/catalog.ts";
import type { ListedCheck, ListedRun } from "../sql/statements/run-list.ts";

export function runShown({ run_id, domain, partition_date, kind, status, fence, ...rest }: ListedRun) {
  const { started_at, finished_at, rows_in, rows_out, error_message } = rest;
  return {
    run_id,
    table: tableOfDomain(domain)?.name ?? domain,
    domain,
    partition_date,
    kind,
    status,
    fence,
    started_at,
    finished_at,
    rows_in,
    rows_out,
    error_message,
  };
}

/** Checks that are judged once their partition has closed. */
export function waitingShown(waiting: WaitingChecks, { name }: Pick<Table, "name">, date: string) {
  return waiting.checks.map(({ layer, name: check_name, metric, bound, onFail }) => ({
    table: name,
    partition_date: date,
    layer,
    check_name,
    metric,
    bound: { [bound.op]: bound.value },
    on_fail: onFail,
    judged_at: timeOf(waiting.at),
  }));
}

export function checkShown(check: ListedCheck) {
  const { run_id, table_name, partition_date, layer, check_name, metric, measured } = check;
  const { bound, passed, on_fail, failing_rows, candidate, problem, checked_at } = check;
  return {
    run_id,
    table: table_name,
    partition_date,
    layer,
    check_name,
    metric,
    measured,
    bound,
    passed,
    on_fail,
    failing_rows,
    candidate,
    problem,
    checked_at,
  };
}
