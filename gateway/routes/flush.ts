/** `POST /v1/topics/{topic}/flush`: every buffer of the topic writes what it holds. */
import { shardsOf } from "../../sql/statements/lag.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { knownTopic } from "../known-topic.ts";
import { ProblemError } from "../problem.ts";

export function postFlush(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function postFlush(c) {
    const { topic } = knownTopic(c.req.param("topic"));
    try {
      const shards = await Promise.all(
        (await shardsOf(deps.db, topic)).map(async ({ shard, of }) => {
          const address = { topic, shard, of };
          const { events, oldestAppended } = await deps.topicBuffer(address).flush(address);
          const oldest = oldestAppended === null ? null : new Date(oldestAppended).toISOString();
          return { shard, of, events, oldest_appended: oldest };
        }),
      );
      return c.json({ topic, events: shards.reduce((sum, { events }) => sum + events, 0), shards }, 202);
    } catch (cause) {
      const detail = "the catalog or a buffer does not answer: some shards may flush, ask again";
      throw new ProblemError("CATALOG_UNAVAILABLE", detail, {}, {}, { cause });
    }
  };
}
