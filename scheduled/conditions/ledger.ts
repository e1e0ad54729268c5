/** Differences of the ledger, suspected losses and incomplete days, as long as the comparison (`../ledger.ts`) finds them. */
import { type LedgerFinding, ledgerFindings } from "../../sql/statements/ledger-findings.ts";
import type { Condition, ConditionSource } from "./condition.ts";

/** More would be one cause with many faces. */
const MAX_CONDITIONS = 100;

export function ledgerSource(db: D1Database): ConditionSource {
  return {
    name: "ledger",
    find: async () => (await ledgerFindings(db, MAX_CONDITIONS)).map(conditionOf),
  };
}

function conditionOf(finding: LedgerFinding): Condition {
  const { kind, topic, hour, measured, detail } = finding;
  if (kind === "incomplete") return incomplete(finding);
  const see = `sluice ledger --topic ${topic} --from ${hour} shows the terms`;
  const what =
    kind === "suspected_loss"
      ? `${measured} messages of ${topic} that gateways numbered until the end of the hour ${hour} did not arrive: ${detail}. Parked messages explain some, a queue that is far behind or a buffer that cannot flush others; ${see}.`
      : measured > 0
        ? `${measured} events of ${topic} received in the hour ${hour} are missing: ${detail}. ${see}; rebuild the partition, or look for errors of its buffers.`
        : `There are ${-measured} events of ${topic} too many, received in the hour ${hour}: ${detail}. ${see}; rebuild the partition, or look for files registered twice.`;
  return {
    key: `${kind === "suspected_loss" ? kind : "ledger_difference"}/${topic}/${hour}`,
    kind: "ledger_difference",
    severity: "critical",
    message: what.slice(0, 2_048),
    domain: topic,
    partitionDate: hour.slice(0, 10),
    measured: Math.abs(measured),
    bound: 0,
  };
}

function incomplete({ topic, hour, measured, detail }: LedgerFinding): Condition {
  const date = hour.slice(0, 10);
  return {
    key: `completeness/${topic}/${date}`,
    kind: "completeness",
    severity: "warning",
    message: `${measured} events of ${topic} received on ${date} are not in its table: it has ${detail}. The dead letters and the quarantine have them with their reasons; sluice ledger --topic ${topic} --from ${date} shows the terms.`,
    domain: topic,
    partitionDate: date,
    measured,
  };
}
