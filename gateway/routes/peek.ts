/** `GET /v1/topics/{topic}/events`: the newest events of bronze. */
import { newestEvents } from "../../lakehouse/lookups/newest-events.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { knownTopic } from "../known-topic.ts";
import { readLake } from "../lake-access.ts";
import { queryOf } from "../openapi/parameters.ts";
import { microsOf } from "../openapi/times.ts";
import { peekQuery } from "./peek.api.ts";

export function getEvents(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function getEvents(c) {
    const contract = knownTopic(c.req.param("topic"));
    const { limit, from } = queryOf(c, peekQuery);
    const query = { limit: Number(limit), from: (from === undefined ? undefined : microsOf(from)) ?? 0 };
    const events = await readLake((permit) =>
      newestEvents({ db: deps.db, bucket: deps.lake, permit }, contract, query),
    );
    return c.json({ topic: contract.topic, events });
  };
}
