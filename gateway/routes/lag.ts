/** `GET /v1/topics/{topic}/lag`: what of a topic is readable in bronze; what `sluice send --wait` waits by. */
import { hourTextAt } from "../../schemas/hours.ts";
import { appendedSince, bronzeSince, shardsOf } from "../../sql/statements/lag.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { knownTopic } from "../known-topic.ts";
import { queryOf } from "../openapi/parameters.ts";
import { ProblemError } from "../problem.ts";
import { lagQuery } from "./lag.api.ts";

const DAY_MS = 86_400_000;

export function getLag(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function getLag(c) {
    const { topic } = knownTopic(c.req.param("topic"));
    const now = deps.clock.now();
    const query = queryOf(c, lagQuery);
    const since = query.since ?? new Date(now - DAY_MS).toISOString();
    try {
      const from_hour = hourTextAt(Date.parse(since));
      const [bronze, events] = await Promise.all([
        bronzeSince(deps.db, topic, since.slice(0, -1)),
        appendedSince(deps.db, topic, from_hour),
      ]);
      const waiting = query.waiting === "true" ? { waiting: await waitingOf(deps, topic) } : {};
      const appended = { from_hour, events };
      return c.json({ topic, as_of: new Date(now).toISOString(), since, appended, bronze, ...waiting });
    } catch (cause) {
      throw new ProblemError(
        "CATALOG_UNAVAILABLE",
        "the catalog, the queue or a buffer does not answer: try again",
        {},
        {},
        { cause },
      );
    }
  };
}

/** In the way of an event: the queue before the buffers, so that none slips by between the two looks. */
async function waitingOf(deps: GatewayDeps, topic: string) {
  const { messages, oldestSent } = await deps.topicQueue(topic).backlog();
  const shards = await shardsOf(deps.db, topic);
  const buffers = await Promise.all(shards.map(({ shard, of }) => deps.topicBuffer({ topic, shard, of }).unflushed()));
  const oldest = buffers.flatMap(({ oldestAppended }) => oldestAppended ?? []);
  return {
    queue: { messages, oldest_sent: timeOf(oldestSent) },
    buffers: {
      events: buffers.reduce((sum, { events }) => sum + events, 0),
      oldest_appended: timeOf(oldest.length === 0 ? null : Math.min(...oldest)),
    },
  };
}

function timeOf(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
