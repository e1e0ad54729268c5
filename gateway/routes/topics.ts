/** `GET /v1/topics` and `GET /v1/topics/{topic}`: what can be sent, as the contracts say. */
import type { Contract } from "../../contracts/contract.ts";
import { contracts, currentSchema } from "../../contracts/registry.ts";
import type { GatewayContext } from "../context.ts";
import { knownTopic } from "../known-topic.ts";

export function listTopics(c: GatewayContext): Response {
  return c.json({ topics: contracts.map(summaryOf) });
}

export function getTopic(c: GatewayContext): Response {
  const contract = knownTopic(c.req.param("topic"));
  const { dedupeKey, eventTime, eventTimeWindow, unknownFields, replayWindowMs, sla, fields, rules, schemas } =
    contract;
  return c.json({
    ...summaryOf(contract),
    dedupe_key: dedupeKey,
    event_time: eventTime,
    event_time_window:
      eventTimeWindow === null ? null : { past_ms: eventTimeWindow.pastMs, future_ms: eventTimeWindow.futureMs },
    unknown_fields: unknownFields,
    replay_window_ms: replayWindowMs,
    service_levels: {
      latency_ms: sla.latencyMs ?? null,
      freshness_ms: sla.freshnessMs ?? null,
      completeness_percent: sla.completenessPercent ?? null,
      retention_ms: sla.retentionMs ?? null,
    },
    schemas,
    fields,
    // Without the checked tree that the gateway evaluates.
    rules: rules.map(({ id, pointer, description, expression }) => ({ id, pointer, description, expression })),
  });
}

function summaryOf(contract: Contract) {
  return {
    topic: contract.topic,
    description: contract.description,
    domain: contract.domain,
    mode: contract.mode,
    contract_version: contract.version,
    schema_version: currentSchema(contract).version,
    accepts_events: !contract.platformOnly,
    events_url: `/v1/topics/${contract.topic}/events`,
  };
}
