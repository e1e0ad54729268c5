/** `GET /v1/ledger`: the conservation ledger by hour or partition, what is in flight, suspected losses, what is parked. */

import type * as z from "zod";
import { contractOf, contracts } from "../../contracts/registry.ts";
import { balanceByHour, balanceByPartition } from "../../lakehouse/ledger/balance.ts";
import { completenessByDay } from "../../lakehouse/ledger/completeness.ts";
import { messagesByTopic } from "../../lakehouse/ledger/messages.ts";
import { parkedByTopic } from "../../lakehouse/upkeep/parked/by-topic.ts";
import { HOUR_MS, hourText } from "../../schemas/hours.ts";
import { arrivalsBetween } from "../../sql/statements/arrivals.ts";
import { ledgerState, ledgerTopics } from "../../sql/statements/ledger-balance.ts";
import type { Reach } from "../access/reach.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { queryOf } from "../openapi/parameters.ts";
import { ProblemError } from "../problem.ts";
import { ledgerQuery } from "./ledger.api.ts";

const DAY_MS = 24 * HOUR_MS;
/** Rows of D1 are read for every hour of every topic asked for, and all of them are answered. */
const MAX_DAYS = 8;
/** What is parked belongs to no page: the first one has it. */
const NOTHING_PARKED = { groups: [], truncated: false };

export function getLedger(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function getLedger(c) {
    const query = queryOf(c, ledgerQuery);
    const reach = c.get("reach");
    const only = query.topic === undefined ? null : reach.only(query.topic);
    const now = deps.clock.now();
    const { from, to } = hoursOf(query.from, query.to, now);
    try {
      const { topics, next } = only === null ? await topicPage(deps.db, reach, query) : { topics: [only], next: null };
      const [state, arrivals, parked] = await Promise.all([
        ledgerState(deps.db, topics, from, to),
        arrivalsBetween(deps.db, topics, from, to),
        query.cursor === undefined ? parkedByTopic(deps.lake) : NOTHING_PARKED,
      ]);
      const hours = balanceByHour(state, now);
      const messages = messagesByTopic(arrivals, from, now);
      const closes =
        hours.every(({ difference }) => difference === 0) &&
        messages.every(({ suspected_lost }) => suspected_lost === 0);
      const groups = parked.groups.filter(({ topic }) => reach.has(topic) && (only === null || topic === only));
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
        rows: query.by === "hour" ? hours : balanceByPartition(state, now),
        messages,
        parked: { groups, truncated: parked.truncated },
        next_cursor: next,
      });
    } catch (cause) {
      throw new ProblemError("CATALOG_UNAVAILABLE", "the catalog does not answer: try again", {}, {}, { cause });
    }
  };
}

/** The topics of a page, and the cursor of the next one; null: it is the last. */
async function topicPage(
  db: D1Database,
  { topics: readable }: Reach,
  { cursor = "", limit }: Pick<z.infer<typeof ledgerQuery>, "cursor" | "limit">,
): Promise<{ readonly topics: readonly string[]; readonly next: string | null }> {
  const found =
    readable === null
      ? await ledgerTopics(
          db,
          contracts.map(({ topic }) => topic),
          cursor,
          limit + 1,
        )
      : [...readable].sort().filter((topic) => topic > cursor);
  const topics = found.slice(0, limit);
  return { topics, next: found.length > limit ? (topics.at(-1) ?? null) : null };
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
