/** `POST /v1/partitions/{table}/{date}/decisions`: a person ends a partition that a check holds back. */
import { noQuarantine } from "../../lakehouse/builds/gates/decisions.ts";
import { isHeldBack } from "../../lakehouse/lookups/partitions/waits.ts";
import type { Table } from "../../lakehouse/tables/catalog.ts";
import { type Decision, decide, type HeldCheck } from "../../sql/statements/partition-decisions.ts";
import { type PartitionFacts, partitionFacts } from "../../sql/statements/partition-list.ts";
import { type ListedCheck, lastChecks } from "../../sql/statements/run-list.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { bodyOf } from "../openapi/json-body.ts";
import { ProblemError } from "../problem.ts";
import { decisionBody } from "./partitions.api.ts";
import { partitionNamed, unknownPartition } from "./partitions.ts";

export function postDecision(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function postDecision(c) {
    const { table, date } = partitionNamed(c);
    const { action, reason } = await bodyOf(c, decisionBody);
    const [facts, checks] = await catalog(() =>
      Promise.all([partitionFacts(deps.db, table.domain, date), lastChecks(deps.db, table.domain, date)]),
    );
    if (facts === null) throw unknownPartition(table, date);
    const held = heldChecks(facts, checks);
    if (held.length === 0) throw nothingToDecide(table, facts);
    if (action === "quarantine") refuseQuarantine(table, held);
    const decision: Decision = {
      decision_id: deps.ids.uuidv7(),
      action,
      reason,
      decided_by: c.get("grant").keyId,
      decided_at: new Date(deps.clock.now()).toISOString(),
      run_id: facts.run_id ?? "",
      checks: held,
    };
    // A build may have begun meanwhile: the statement asks once more, in the moment in which it writes.
    if (!(await catalog(() => decide(deps.db, table.domain, date, decision)))) throw nothingToDecide(table, facts);
    return c.json({ table: table.name, partition_date: date, ...decision }, 201);
  };
}

/** The checks by which the partition's last run was held back; none if it was not, or is under way again. */
function heldChecks(facts: PartitionFacts, checks: readonly ListedCheck[]): HeldCheck[] {
  if (!isHeldBack(facts) || facts.lease_run !== null) return [];
  return checks
    .filter(({ run_id, passed, on_fail }) => run_id === facts.run_id && !passed && on_fail === "block")
    .map(({ layer, check_name, measured }) => ({ layer, check_name, measured }));
}

function nothingToDecide(table: Table, { partition_date, status, lease_run }: PartitionFacts): ProblemError {
  const now = lease_run === null ? "" : ", and is being built just now: ask again when that has ended";
  return new ProblemError("NOTHING_TO_DECIDE", `${table.name} ${partition_date} is ${status}${now}`);
}

/** Throws the problem NOTHING_TO_DECIDE if the failing rows of some check cannot be kept apart. */
function refuseQuarantine(table: Table, held: readonly HeldCheck[]): void {
  const reasons = held.flatMap(({ layer, check_name }) => {
    const check = table.checks.find((each) => each.layer === layer && each.name === check_name);
    return (check === undefined ? "its check has gone" : noQuarantine(check)) ?? [];
  });
  if (table.layer === "gold")
    reasons.unshift("the rows of a gold table are those of its model, so none can be kept apart");
  const [reason] = reasons;
  if (reason !== undefined)
    throw new ProblemError("NOTHING_TO_DECIDE", `no quarantine: ${reason}; accept or discard it`);
}
