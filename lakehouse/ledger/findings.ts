/** What is wrong with the ledger, a line per topic and hour. Pure. */
import type { InstanceHour } from "../../sql/statements/arrivals.ts";
import type { LedgerState } from "../../sql/statements/ledger-balance.ts";
import type { LedgerFinding } from "../../sql/statements/ledger-findings.ts";
import { balanceByHour, type HourBalance } from "./balance.ts";
import { findGaps, type Gap, isSuspectedLoss } from "./gaps.ts";

const NAMED_INSTANCES = 5;

/** Differences and suspected losses of the hours that `state` and `arrivals` (from `from` on) tell of. */
export function findingsOf(
  state: LedgerState,
  arrivals: readonly InstanceHour[],
  from: string,
  now: number,
): LedgerFinding[] {
  const wrong = balanceByHour(state, now).filter(({ difference }) => difference !== 0);
  const lost = findGaps(arrivals, from).filter((gap) => isSuspectedLoss(gap, now));
  return [
    ...wrong.map((balance) => ({
      kind: "difference" as const,
      topic: balance.topic,
      hour: balance.hour,
      measured: balance.difference,
      detail: termsText(balance),
    })),
    ...[...Map.groupBy(lost, ({ topic, hour }) => `${topic} ${hour}`).values()].map(lossOf),
  ];
}

function termsText(balance: HourBalance): string {
  const { accepted, buffered, bronze, silver, duplicates, superseded, quarantined, expired, unbuilt } = balance;
  const terms = { accepted, buffered, bronze, silver, duplicates, superseded, quarantined, expired, unbuilt };
  return Object.entries(terms)
    .map(([name, events]) => `${name} ${events}`)
    .join(", ");
}

function lossOf(gaps: readonly Gap[]): LedgerFinding {
  const [first] = gaps;
  const named = gaps.slice(0, NAMED_INSTANCES).map(({ instance, messages }) => `${instance} (${messages})`);
  const more = gaps.length > named.length ? ` and ${gaps.length - named.length} more` : "";
  return {
    kind: "suspected_loss",
    topic: first?.topic ?? "",
    hour: first?.hour ?? "",
    measured: gaps.reduce((sum, { messages }) => sum + messages, 0),
    detail: `gateway instances ${named.join(", ")}${more}`,
  };
}
