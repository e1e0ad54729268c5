/** `GET /v1/topics/{topic}/lag`: what of a topic is readable in bronze; what `sluice send --wait` waits by. */
import { appendedSince, bronzeSince } from "../../sql/statements/lag.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { queryOf } from "../openapi/parameters.ts";
import { ProblemError } from "../problem.ts";
import { lagQuery } from "./lag.api.ts";
import { knownTopic } from "./topics.ts";

const DAY_MS = 86_400_000;

export function getLag(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function getLag(c) {
    const { topic } = knownTopic(c.req.param("topic"));
    const now = deps.clock.now();
    const query = queryOf(c, lagQuery);
    const since = query.since ?? new Date(now - DAY_MS).toISOString();
    try {
      const [bronze, events] = await Promise.all([
        bronzeSince(deps.db, topic, since.slice(0, -1)),
        appendedSince(deps.db, topic, since.slice(0, 13)),
      ]);
      const appended = { from_hour: `${since.slice(0, 13)}:00:00Z`, events };
      return c.json({ topic, as_of: new Date(now).toISOString(), since, appended, bronze });
    } catch (cause) {
      throw new ProblemError("CATALOG_UNAVAILABLE", "the catalog does not answer: try again", {}, {}, { cause });
    }
  };
}
