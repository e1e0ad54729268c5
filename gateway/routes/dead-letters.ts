/** `GET /v1/dead-letters` and `GET /v1/dead-letters/{dlq_id}`: what was refused, read from the lake. */
import { DEAD_LETTERS_TOPIC, type StoredDeadLetter } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import { readDeadLetters } from "../../lakehouse/lookups/dead-letters/page.ts";
import type { ReceivedRange } from "../../lakehouse/lookups/dead-letters/scan.ts";
import type { Reach } from "../access/reach.ts";
import type { GatewayContext } from "../context.ts";
import { cursorOf, positionOf } from "../dead-letters/cursor.ts";
import { findDeadLetters } from "../dead-letters/find.ts";
import type { GatewayDeps } from "../deps.ts";
import { knownTopic } from "../known-topic.ts";
import { readLake } from "../lake-access.ts";
import { queryOf } from "../openapi/parameters.ts";
import { microsOf } from "../openapi/times.ts";
import { ProblemError } from "../problem.ts";
import { replayedFrom, requireInWindow } from "../replay-window.ts";
import { listQuery, showQuery } from "./dead-letters.api.ts";

type Route = (c: GatewayContext) => Promise<Response>;

export function listDeadLetters(deps: GatewayDeps): Route {
  return async function listDeadLetters(c) {
    const query = queryOf(c, listQuery);
    const { order } = query;
    const after = query.cursor === undefined ? null : positionOf(order, query.cursor);
    if (after === undefined) {
      throw new ProblemError("INVALID_PARAMETER", "cursor: expected next_cursor of a page in the same order");
    }
    const filter = {
      topics: topicsOf(c.get("reach"), query.topic),
      errorType: query.error_type ?? null,
      producer: query.producer ?? null,
      ids: null,
    };
    const range = rangeOf(query, deps.clock.now());
    const limit = Number(query.limit);
    const page = await readLake((permit) =>
      readDeadLetters(
        { db: deps.db, bucket: deps.lake, permit },
        { filter, order, range, after, limit, withPayloads: false },
      ),
    );
    return c.json({
      dead_letters: page.letters.map(summaryOf),
      next_cursor: page.next === null ? null : cursorOf(order, page.next),
    });
  };
}

export function getDeadLetter(deps: GatewayDeps): Route {
  return async function getDeadLetter(c) {
    const id = c.req.param("dlq_id") ?? "";
    const { date } = queryOf(c, showQuery);
    const day = date === undefined ? undefined : microsOf(date);
    if (day !== undefined) requireInWindow(knownTopic(DEAD_LETTERS_TOPIC), deps.clock.now(), "date", day);
    const range = day === undefined ? rangeOf({}, deps.clock.now()) : { from: day, to: day + DAY_MICROS - 1 };
    const { topics } = c.get("reach");
    const { letters, searchedAll } = await findDeadLetters(deps, { ids: new Set([id]), topics, range });
    const [letter] = letters;
    if (letter !== undefined) {
      const { payload, payload_encoding, payload_ref } = letter;
      return c.json({ ...summaryOf(letter), payload, payload_encoding, payload_ref });
    }
    const where = date === undefined ? "the last seven days" : date;
    const some = searchedAll ? "" : ", of which not all could be searched: name its day with ?date=YYYY-MM-DD";
    throw new ProblemError("UNKNOWN_DEAD_LETTER", `there is no dead letter "${id.slice(0, 64)}" in ${where}${some}`);
  };
}

/** The topics to look for; null: all, those whose contract is gone too. Throws the problems UNKNOWN_TOPIC and FORBIDDEN. */
export function topicsOf(reach: Reach, named: string | undefined): ReadonlySet<string> | null {
  return named === undefined ? reach.topics : new Set([reach.only(named)]);
}

const DAY_MICROS = 86_400_000_000;
const DEFAULT_DAYS = 7;
/** Clocks of other isolates may run ahead. */
const AHEAD_MS = 60_000;

/** The times asked for, both inclusive. Throws INVALID_PARAMETER for one that is empty, and for one that begins before the replay window. */
export function rangeOf(
  query: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: number,
): ReceivedRange {
  const contract = knownTopic(DEAD_LETTERS_TOPIC);
  const end = (query.to === undefined ? undefined : microsOf(query.to)) ?? (now + AHEAD_MS) * 1_000;
  requireInWindow(contract, now, "to", end);
  const asked = query.from === undefined ? undefined : microsOf(query.from);
  if (asked !== undefined) requireInWindow(contract, now, "from", asked);
  const from = asked ?? Math.max(end - DEFAULT_DAYS * DAY_MICROS, replayedFrom(contract, now));
  if (from >= end) throw new ProblemError("INVALID_PARAMETER", "from: must be before `to`");
  return { from, to: end - 1 };
}

function summaryOf(letter: StoredDeadLetter) {
  const { request_id, event_index, byte_offset } = letter;
  return {
    dlq_id: letter.dlq_id,
    source_topic: letter.source_topic,
    error_type: letter.error_type,
    errors: letter.errors,
    event_id: letter.event_id,
    producer: letter.producer,
    received_at: letter.received_at,
    stage: letter.stage,
    contract_version: letter.contract_version,
    schema_version: letter.schema_version,
    position: { request_id, event_index, byte_offset },
    attempts: letter.attempts,
    replay_of: letter.replay_of,
  };
}
