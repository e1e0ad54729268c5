/** `GET /v1/ledger`: the conservation ledger by hour or partition, what is in flight, suspected losses, what is parked. */

import { contractOf } from "../../contracts/registry.ts";
import { balanceByHour, balanceByPartition } from "../../lakehouse/ledger/balance.ts";
import { completenessByDay } from "../../lakehouse/ledger/completeness.ts";
import { messagesByTopic } from "../../lakehouse/ledger/messages.ts";
import { parkedByTopic } from "../../lakehouse/parked/by-topic.ts";
import { arrivalsBetween } from "../../sql/statements/arrivals.ts";
import { ledgerState } from "../../sql/statements/ledger-balance.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { queryOf } from "../openapi/parameters.ts";
import { ProblemError } from "../problem.ts";
import { ledgerQuery } from "./ledger.api.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A row of D1 is read for every bronze file of every hour asked for. */
const MAX_DAYS = 8;

export function getLedger(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function getLedger(c) {
    const query = queryOf(c, ledgerQuery);
    const reach = c.get("reach");
    const topic = query.topic === undefined ? null : reach.only(query.topic);
    const now = deps.clock.now();
    const { from, to } = hoursOf(query.from, query.to, now);
    const ofKey = <Row extends { readonly topic: string | null }>(rows: readonly Row[]): Row[] =>
      rows.filter((row) => reach.has(row.topic) && (topic === null || row.topic === topic));
    try {
      const [state, arrivals, parked] = await Promise.all([
        ledgerState(deps.db, topic, from, to),
        arrivalsBetween(deps.db, topic, from, to),
        parkedByTopic(deps.lake),
      ]);
      const hours = ofKey(balanceByHour(state, now));
      const messages = ofKey(messagesByTopic(arrivals, from, now));
      const closes =
        hours.every(({ difference }) => difference === 0) &&
        messages.every(({ suspected_lost }) => suspected_lost === 0);
      return c.json({
        as_of: new Date(now).toISOString(),
        from,
        to,
        by: query.by,
        closes,
        completeness: completenessByDay(hours).map((day) => ({
          ...day,
          promised_percent: contractOf(day.topic)?.sla.completenessPercent ?? null,
        })),
        rows: query.by === "hour" ? hours : ofKey(balanceByPartition(state, now)),
        messages,
        parked: { groups: ofKey(parked.groups), truncated: parked.truncated },
      });
    } catch (cause) {
      throw new ProblemError("CATALOG_UNAVAILABLE", "the catalog does not answer: try again", {}, {}, { cause });
    }
  };
}

/** Whole hours `[from, to)`. Throws the problem INVALID_PARAMETER. */
function hoursOf(from: string | undefined, to: string | undefined, now: number): { from: string; to: string } {
  // The clocks of gateways may be ahead: what is received "later" is there too.
  const end = to === undefined ? now + HOUR_MS : Date.parse(to);
  const start = from === undefined ? end - DAY_MS : Date.parse(from);
  const first = Math.floor(start / HOUR_MS);
  const last = Math.ceil(end / HOUR_MS);
  if (last <= first) throw new ProblemError("INVALID_PARAMETER", "from: must be before `to`");
  if (last - first > MAX_DAYS * 24 + 1) {
    throw new ProblemError("INVALID_PARAMETER", `from: at most ${MAX_DAYS} days are read at once`);
  }
  return { from: hourText(first), to: hourText(last) };
}

function hourText(hour: number): string {
  return `${new Date(hour * HOUR_MS).toISOString().slice(0, 13)}:00:00Z`;
}
