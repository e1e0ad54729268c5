/** `GET /v1/events/{event_id}`: what became of one event. */
import { contracts } from "../../contracts/registry.ts";
import { LakeBusyError } from "../../lakehouse/lookups/trace/search-bronze.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { queryOf } from "../openapi/parameters.ts";
import { ProblemError } from "../problem.ts";
import { cursorText, positionOf } from "../trace/cursor.ts";
import { traceEvent } from "../trace/trace-event.ts";
import { requestPermit } from "../wasm-permit.ts";
import { EVENT_ID, traceQuery } from "./trace.api.ts";

/** Of one answer: each is one or two reads of R2 and some milliseconds. */
const MAX_FILES = 120;
export function getEvent(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function getEvent(c) {
    const eventId = c.req.param("event_id") ?? "";
    if (!EVENT_ID.test(eventId))
      throw new ProblemError("INVALID_PARAMETER", "event_id: expected at most 256 characters");
    const { topic, date = null, cursor } = queryOf(c, traceQuery);
    const start = cursor === undefined ? { source: 0, after: "" } : positionOf(cursor);
    if (start === undefined) throw new ProblemError("INVALID_PARAMETER", "cursor: expected one that an answer gave");
    const reach = c.get("reach");
    const only = topic === undefined ? null : reach.only(topic);
    const readable = contracts.filter((contract) =>
      only === null ? reach.has(contract.topic) : contract.topic === only,
    );
    const now = deps.clock.now();
    const lake = {
      db: deps.db,
      bucket: deps.lake,
      permit: () => requestPermit(),
    };
    const request = { eventId, contracts: readable, date, start, now, maxFiles: MAX_FILES };
    const { next, ...found } = await reading(() => traceEvent(deps, lake, request));
    // Of a search in several answers nobody but the caller knows what the earlier ones found.
    if (found.state === null && next === null && cursor === undefined) {
      const where = "neither in the buffers, nor parked, nor in the bronze files and dead letters of what was searched";
      throw new ProblemError(
        "EVENT_NOT_FOUND",
        `the event is ${where}; a message may still be in its queue, which nobody can look into`,
        { event_id: eventId, searched: found.searched },
      );
    }
    return c.json({
      event_id: eventId,
      as_of: new Date(now).toISOString(),
      ...found,
      cursor: next === null ? null : cursorText(next),
    });
  };
}

async function reading<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof LakeBusyError) throw new ProblemError("LAKE_BUSY", cause.message, {}, {}, { cause });
    throw new ProblemError(
      "CATALOG_UNAVAILABLE",
      "the catalog or the lake does not answer: try again",
      {},
      {},
      { cause },
    );
  }
}
