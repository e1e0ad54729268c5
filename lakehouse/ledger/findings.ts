/** What is wrong with the ledger, a line per topic and hour. Pure. */
import type { InstanceHour } from "../../sql/statements/arrivals.ts";
import type { LedgerState } from "../../sql/statements/ledger-balance.ts";
import type { LedgerFinding } from "../../sql/statements/ledger-findings.ts";
import { balanceByHour, type HourBalance } from "./balance.ts";
import { completenessByDay, isIncomplete } from "./completeness.ts";
import { findGaps, type Gap, isSuspectedLoss } from "./gaps.ts";

const NAMED_INSTANCES = 5;

const DAY_MS = 86_400_000;

/**
 * Differences and suspected losses of the hours that `state` and `arrivals` (from `from` on) tell of, and topics of whose events of
 * the last full UTC day fewer are complete than was promised. `promises`: percent by topic.
 */
export function findingsOf(
  state: LedgerState,
  arrivals: readonly InstanceHour[],
  from: string,
  now: number,
  promises: ReadonlyMap<string, number>,
): LedgerFinding[] {
  const hours = balanceByHour(state, now);
  const wrong = hours.filter(({ difference }) => difference !== 0);
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
    ...incompleteDays(hours, new Date(now - DAY_MS).toISOString().slice(0, 10), promises),
  ];
}

function incompleteDays(
  hours: readonly HourBalance[],
  date: string,
  promises: ReadonlyMap<string, number>,
): LedgerFinding[] {
  const ofDate = hours.filter(({ topic, hour }) => promises.has(topic) && hour.startsWith(date));
  return completenessByDay(ofDate).flatMap((day) => {
    const { topic, received, missing, percent } = day;
    const promised = promises.get(topic) ?? 0;
    if (!isIncomplete(day, promised)) return [];
    const detail = `${percent}% of ${received} events, promised are ${promised}%`;
    return [{ kind: "incomplete" as const, topic, hour: `${date}T00:00:00Z`, measured: missing, detail }];
  });
}

function termsText(balance: HourBalance): string {
  const { accepted, buffered, parked, bronze, silver, duplicates, superseded, quarantined, expired, unbuilt } = balance;
  const terms = { accepted, buffered, parked, bronze, silver, duplicates, superseded, quarantined, expired, unbuilt };
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
