/** `POST /v1/dead-letters/replay`: dead letters through admission again, a dry run first. */
import type * as z from "zod";
import type { StoredDeadLetter } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import { readDeadLetters } from "../../lakehouse/lookups/dead-letters/page.ts";
import type { GatewayContext } from "../context.ts";
import { cursorOf, positionOf } from "../dead-letters/cursor.ts";
import { findDeadLetters } from "../dead-letters/find.ts";
import type { GatewayDeps } from "../deps.ts";
import { readLake } from "../lake-access.ts";
import { bodyOf } from "../openapi/json-body.ts";
import { ProblemError } from "../problem.ts";
import { type ReplayResult, replay } from "../replay/replay.ts";
import { replayBody } from "./dead-letters.api.ts";
import { rangeOf, topicsOf } from "./dead-letters.ts";

type ReplayBody = z.infer<typeof replayBody>;

export function postReplay(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function postReplay(c) {
    const spending = c.get("spending");
    spending.begin(0);
    const body = await bodyOf(c, replayBody);
    const { letters, missing, next } = await chosen(c, body, deps);
    const wide = c.get("wideEvent");
    const options = {
      schemaVersion: body.schema_version,
      acceptMasked: body.accept_masked,
      dryRun: body.dry_run,
    };
    // A dry run reads and judges as much.
    const bytes = payloadBytes(letters);
    spending.settle({ events: letters.length, bytes });
    c.get("claimMemory")("events", bytes * PAYLOAD_COPIES);
    const { results, messages } = await replay(letters, options, deps);
    const count = (status: ReplayResult["status"]) => results.filter((result) => result.status === status).length;
    const counts = { accepted: count("accepted"), rejected: count("rejected"), retry: count("retry") };
    Object.assign(wide, { dry_run: body.dry_run, events: results.length, messages, ...counts });
    if (body.topic !== undefined) wide.topic = body.topic;
    if (counts.retry > 0 && messages === 0) {
      throw new ProblemError("QUEUE_UNAVAILABLE", "the queues took nothing of the replay: ask for it again");
    }
    return c.json({
      request_id: c.get("requestId"),
      dry_run: body.dry_run,
      ...counts,
      unreplayable: count("unreplayable"),
      not_found: missing.length,
      results: [...results.map(shown), ...missing.map((dlq_id) => ({ dlq_id, status: "not_found" }))],
      next_cursor: next,
    });
  };
}

/** As read, as an event, and as what is sent of it. */
const PAYLOAD_COPIES = 3;

/** Of the payloads that stand in the dead letters; those that lie apart are read one at a time, each as one event. */
function payloadBytes(letters: readonly StoredDeadLetter[]): number {
  return letters.reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0);
}

interface Chosen {
  readonly letters: readonly StoredDeadLetter[];
  /** Ids that name no dead letter of a topic in the key's reach. */
  readonly missing: readonly string[];
  readonly next: string | null;
}

async function chosen(c: GatewayContext, body: ReplayBody, deps: GatewayDeps): Promise<Chosen> {
  const topics = topicsOf(c.get("reach"), body.topic);
  const range = rangeOf(body, deps.clock.now());
  if (body.dlq_ids !== undefined) {
    const ids = new Set(body.dlq_ids);
    const { letters } = await findDeadLetters(deps, { ids, topics, range });
    const found = new Set(letters.map(({ dlq_id }) => dlq_id));
    return { letters, missing: [...ids].filter((id) => !found.has(id)), next: null };
  }
  const after = body.cursor === undefined ? null : positionOf("oldest", body.cursor);
  if (after === undefined) {
    throw new ProblemError("INVALID_PARAMETER", "cursor: expected next_cursor of the same replay's answer before");
  }
  const page = await readLake((permit) =>
    readDeadLetters(
      { db: deps.db, bucket: deps.lake, permit },
      {
        filter: { topics, errorType: body.error_type ?? null, producer: body.producer ?? null, ids: null },
        order: "oldest",
        range,
        after,
        limit: body.max,
        withPayloads: true,
      },
    ),
  );
  const next = page.next === null ? null : cursorOf("oldest", page.next);
  return { letters: eachOnce(page.letters), missing: [], next };
}

/**
 * An event may have several dead letters, one for each attempt, with the same payload: the earliest of the page stands for
 * it, so that replaying the same filter twice repeats the same refusals instead of piling up attempts.
 */
function eachOnce(letters: readonly StoredDeadLetter[]): StoredDeadLetter[] {
  const byEvent = Map.groupBy(letters, ({ dlq_id, replay_of }) => replay_of ?? dlq_id);
  return [...byEvent.values()].flatMap((attempts) => attempts.toSorted((a, b) => a.attempts - b.attempts).slice(0, 1));
}

function shown(result: ReplayResult) {
  const { dlq_id, source_topic, event_id } = result.letter;
  const common = { dlq_id, status: result.status, source_topic, event_id };
  switch (result.status) {
    case "accepted":
      return result.keyed ? { ...common, keyed_by_dlq_id: true } : common;
    case "rejected":
      return { ...common, errors: result.errors, dead_letter: result.deadLetter };
    case "unreplayable":
      return { ...common, reason: result.reason };
    case "retry":
      return common;
  }
}
