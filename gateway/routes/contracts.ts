/** `GET /v1/contracts/{topic}`, `/example` and `/schema.json`: the contract as people wrote it, and what follows from it. */
import { accepts } from "hono/accepts";
import type { Contract } from "../../contracts/contract.ts";
import { documents } from "../../contracts/documents/documents.generated.ts";
import { exampleEvent } from "../../contracts/documents/example-event.ts";
import { jsonSchemaOf } from "../../contracts/documents/json-schema.ts";
import { currentSchema } from "../../contracts/registry.ts";
import type { SchemaRelease } from "../../schemas/avro-schema.ts";
import { codecById } from "../../schemas/codecs.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { knownTopic } from "../known-topic.ts";
import { queryOf } from "../openapi/parameters.ts";
import { contractQuery } from "./contracts.api.ts";

const YAML_TYPES = ["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"];

export function getContract(c: GatewayContext): Response {
  const { topic } = knownTopic(c.req.param("topic"));
  const { format } = queryOf(c, contractQuery);
  const document = documents.get(topic);
  if (document === undefined) throw new Error(`topic ${topic} has a contract but no document`);
  const supports = ["application/json", ...YAML_TYPES];
  const accepted = accepts(c, { header: "Accept", supports, default: "application/json" });
  c.header("Vary", "Accept");
  if (format === "json" || (format === undefined && accepted === "application/json")) {
    return c.body(document.json, 200, { "Content-Type": "application/json" });
  }
  return c.body(document.yaml, 200, { "Content-Type": "application/yaml; charset=utf-8" });
}

export function getExample(deps: GatewayDeps): (c: GatewayContext) => Response {
  return function getExample(c) {
    const contract = knownTopic(c.req.param("topic"));
    const options = { now: deps.clock.now(), id: deps.ids.uuidv7() };
    return c.json(exampleEvent(contract, currentRelease(contract), options));
  };
}

export function getJsonSchema(c: GatewayContext): Response {
  const contract = knownTopic(c.req.param("topic"));
  const id = new URL(`/v1/contracts/${contract.topic}/schema.json`, c.req.url).href;
  const schema = jsonSchemaOf(contract, currentRelease(contract), id);
  return c.body(JSON.stringify(schema), 200, { "Content-Type": "application/schema+json" });
}

function currentRelease(contract: Contract): SchemaRelease {
  const { id } = currentSchema(contract);
  const codec = codecById(id);
  if (codec === undefined) throw new Error(`schema ${id} is in a contract but has no codec`);
  return codec;
}
