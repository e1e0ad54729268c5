/** `GET /v1/topics/{topic}/events`: the newest events of bronze. */
import { newestEvents } from "../../lakehouse/peek/newest-events.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { readLake } from "../lake-access.ts";
import { demandAccess } from "../middleware/auth/grant.ts";
import { queryOf } from "../openapi/parameters.ts";
import { microsOf, peekQuery } from "./peek.api.ts";
import { knownTopic } from "./topics.ts";

export function getEvents(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function getEvents(c) {
    const contract = knownTopic(c.req.param("topic"));
    demandAccess(c.get("grant"), contract.topic, "read");
    const { limit, from } = queryOf(c, peekQuery);
    const query = { limit: Number(limit), from: (from === undefined ? undefined : microsOf(from)) ?? 0 };
    const events = await readLake(() => newestEvents({ db: deps.db, bucket: deps.lake }, contract, query));
    c.header("Cache-Control", "no-store");
    return c.json({ topic: contract.topic, events });
  };
}
