/** `GET /v1/parked`, `GET /v1/parked/item` and `POST /v1/parked/retry`: what could not go on, and its way back. */
import { describeParked } from "../../lakehouse/upkeep/parked/describe.ts";
import { frameFault } from "../../lakehouse/upkeep/parked/frame-fault.ts";
import { listParked, PARKED_PREFIX, type ParkedMessage } from "../../lakehouse/upkeep/parked/parked-message.ts";
import type { Redriven } from "../../lakehouse/upkeep/parked/redrive.ts";
import type { MessageHeader, Slice } from "../../schemas/packed-block.ts";
import { formatTimestamp } from "../../schemas/time.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { lakeAnswers } from "../lake-access.ts";
import { bodyOf } from "../openapi/json-body.ts";
import { queryOf } from "../openapi/parameters.ts";
import { ProblemError } from "../problem.ts";
import { parkedItemQuery, parkedQuery, retryBody } from "./parked.api.ts";

type Route = (c: GatewayContext) => Promise<Response>;

export function getParked(deps: GatewayDeps): Route {
  return async function getParked(c) {
    const { queue, limit, cursor } = queryOf(c, parkedQuery);
    const page = await lakeAnswers(() => listParked(deps.lake, { queue, cursor, limit: Number(limit) }));
    return c.json({ parked: page.messages.map(shown), next_cursor: page.cursor });
  };
}

export function getParkedItem(deps: GatewayDeps): Route {
  return async function getParkedItem(c) {
    const { id } = queryOf(c, parkedItemQuery);
    const found = await lakeAnswers(() => describeParked(deps.lake, `${PARKED_PREFIX}${id}`, frameFault));
    if (found === undefined) throw new ProblemError("NOT_PARKED", `nothing is parked as ${id}`);
    const { parked, header, slices, problem } = found;
    return c.json({ ...shown(parked), problem, header: header === null ? null : headerShown(header, slices) });
  };
}

export function postParkedRetry(deps: GatewayDeps): Route {
  return async function postParkedRetry(c) {
    const { ids } = await bodyOf(c, retryBody);
    const results: object[] = [];
    // One after another: each may hold a message, and a look-up in bronze holds the isolate's permit.
    for (const id of new Set(ids)) results.push({ id, ...(await retried(id, deps)) });
    c.get("wideEvent").messages = results.length;
    return c.json({ results });
  };
}

async function retried(id: string, deps: GatewayDeps): Promise<object> {
  let redriven: Redriven;
  try {
    redriven = await deps.redrive(`${PARKED_PREFIX}${id}`);
  } catch (error) {
    // Still parked: nothing is deleted before it is durable elsewhere.
    return { outcome: "failed", detail: error instanceof Error ? error.message.slice(0, 300) : "unknown" };
  }
  switch (redriven.kind) {
    case "sent":
      return { outcome: "sent", message_id: redriven.messageId, events: redriven.events };
    case "not_found":
      return { outcome: "not_found" };
    default:
      return { outcome: redriven.kind, detail: redriven.detail };
  }
}

function shown({ kind, queue, id, cause, detail, attempts, sent, touched, size, redrives, contents }: ParkedMessage) {
  const { topic = null, events = null } = contents ?? {};
  return {
    ...{ id: `${queue}/${id}`, kind, queue, cause, topic, events },
    ...{ detail, attempts, sent, parked: touched, size, redrives },
  };
}

function headerShown(header: MessageHeader, slices: readonly Slice[]) {
  const { message_id, topic, schema_id, contract_version, producer, request_id, received, gateway } = header;
  return {
    ...{ message_id, topic, schema_id, contract_version, producer, request_id },
    ...{ received: formatTimestamp(received), gateway },
    slices: slices.map(({ shard, of, count, length }) => ({ shard, of, events: count, bytes: length })),
  };
}
