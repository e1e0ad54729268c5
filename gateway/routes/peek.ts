/** `GET /v1/topics/{topic}/events`: the newest events of bronze. */
import { newestEvents } from "../../lakehouse/lookups/newest-events.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { knownTopic } from "../known-topic.ts";
import { readLake } from "../lake-access.ts";
import { queryOf } from "../openapi/parameters.ts";
import { microsOf } from "../openapi/times.ts";
import { replayedFrom, requireInWindow } from "../replay-window.ts";
import { peekQuery } from "./peek.api.ts";

export function getEvents(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function getEvents(c) {
    const contract = knownTopic(c.req.param("topic"));
    const { limit, from } = queryOf(c, peekQuery);
    const now = deps.clock.now();
    const asked = from === undefined ? undefined : microsOf(from);
    if (asked !== undefined) requireInWindow(contract, now, "from", asked);
    const query = { limit: Number(limit), from: asked ?? replayedFrom(contract, now) };
    const events = await readLake((permit) =>
      newestEvents({ db: deps.db, bucket: deps.lake, permit }, contract, query),
    );
    return c.json({ topic: contract.topic, events });
  };
}
