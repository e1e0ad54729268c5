/** `GET /v1/activity` and `GET /v1/topics/{topic}/activity`: what topics took in lately, from the catalog. */

import type { Contract } from "../../contracts/contract.ts";
import { hasMaskedFields } from "../../contracts/masking.ts";
import { contracts } from "../../contracts/registry.ts";
import { silverTableName } from "../../lakehouse/tables/silver-columns.ts";
import { HOUR_MS, hourTextAt } from "../../schemas/hours.ts";
import { TOPIC_PROGRESS, topicProgress } from "../../sql/statements/progress.ts";
import { partitionsByStatus, topicActivity } from "../../sql/statements/topic-activity.ts";
import { unknownFieldsOf } from "../../sql/statements/unknown-fields.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { knownTopic } from "../known-topic.ts";
import { queryOf } from "../openapi/parameters.ts";
import { activityQuery } from "./activity.api.ts";

type Route = (c: GatewayContext) => Promise<Response>;

export function listActivity(deps: GatewayDeps): Route {
  return async function listActivity(c) {
    const hour = fromHour(deps, queryOf(c, activityQuery).hours);
    const readable = contracts.filter(({ topic }) => c.get("reach").has(topic));
    const topics = await catalog(() => activityOf(deps, readable, hour));
    return c.json({ from_hour: hour, topics });
  };
}

export function getActivity(deps: GatewayDeps): Route {
  return async function getActivity(c) {
    const contract = knownTopic(c.req.param("topic"));
    const hour = fromHour(deps, queryOf(c, activityQuery).hours);
    const { topic } = contract;
    const [[activity], partitions, drift] = await catalog(() =>
      Promise.all([
        activityOf(deps, [contract], hour),
        partitionsByStatus(deps.db, topic),
        unknownFieldsOf(deps.db, topic),
      ]),
    );
    const { bytes, rows, ageMs } = contract.flush;
    return c.json({
      from_hour: hour,
      ...activity,
      flush: { bytes, rows, age_ms: ageMs },
      partitions,
      drift: drift.map(({ pointer, first_seen, last_seen }) => ({
        pointer: hasMaskedFields(contract) ? null : pointer,
        first_seen,
        last_seen,
      })),
    });
  };
}

function fromHour(deps: GatewayDeps, hours: string): string {
  return hourTextAt(deps.clock.now() - (Number(hours) - 1) * HOUR_MS);
}

async function activityOf({ db }: GatewayDeps, of: readonly Contract[], hour: string) {
  const tables = of.map(({ topic }) => ({ topic, table: silverTableName(topic) }));
  const [counted, progress] = await Promise.all([
    topicActivity(db, hour),
    TOPIC_PROGRESS.all(topicProgress(db, tables)),
  ]);
  return of.map(({ topic, version, shards }) => {
    const counts = counted.find((each) => each.topic === topic);
    const { newest_received, published_at } = progress.find((each) => each.topic === topic) ?? {};
    return {
      topic,
      contract_version: version,
      shards,
      accepted: counts?.accepted ?? 0,
      rejected: counts?.rejected ?? 0,
      newest_received: newest_received ?? null,
      published_at: published_at ?? null,
    };
  });
}
