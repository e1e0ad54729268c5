/** A registry client that knows nothing of Sluice, against the real bundle: it fetches, encodes, decodes and registers unchanged. */
import { COMPATIBILITY, SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { weather } from "./events.ts";
import { startTestPlatform, type TestPlatform } from "./harness.ts";

let test: TestPlatform;
let registry: SchemaRegistry;

beforeAll(async () => {
  test = await startTestPlatform();
  registry = new SchemaRegistry({
    host: `${test.platform.url}/registry`,
    auth: { username: "any", password: test.platform.apiKey },
    retry: { retries: 0 },
  });
});
afterAll(async () => {
  await test.close();
});

/** What the schema's Avro form holds: times are microseconds, which this client's encoder takes as numbers. */
function avroReading(): Record<string, unknown> {
  const event = weather("r-1");
  return { ...event, event_timestamp: Date.parse(String(event["event_timestamp"])) * 1_000, schema_version: null };
}

describe("@kafkajs/confluent-schema-registry", () => {
  it("finds a subject's latest schema, encodes by it and decodes again", async () => {
    const id = await registry.getLatestSchemaId("weather-value");
    const bytes = await registry.encode(id, avroReading());
    expect([bytes[0], bytes.readInt32BE(1)]).toEqual([0, id]);
    const other = new SchemaRegistry({
      host: `${test.platform.url}/registry`,
      auth: { username: "any", password: test.platform.apiKey },
    });
    expect(await other.decode(bytes)).toEqual(avroReading());
    expect(await registry.getRegistryId("weather-value", 1)).toBe(id);
  });

  it("what it encoded is accepted as an event", async () => {
    const bytes = await registry.encode(await registry.getLatestSchemaId("weather-value"), avroReading());
    const answer = await test.post("weather", new Uint8Array(bytes), { type: "application/vnd.confluent.avro" });
    expect([answer.status, answer.json.accepted]).toEqual([202, 1]);
  });

  it("looks a schema up, and registers one that is released; any other is refused with the reason", async () => {
    const latest = await test.get("/registry/subjects/weather-value/versions/latest");
    expect(latest.headers.get("content-type")).toBe("application/vnd.schemaregistry.v1+json");
    const schema = JSON.parse(latest.json.schema);
    expect(
      await registry.getRegistryIdBySchema("weather-value", { type: SchemaType.AVRO, schema: latest.json.schema }),
    ).toBe(latest.json.id);
    const options = { subject: "weather-value", compatibility: COMPATIBILITY.FULL_TRANSITIVE };
    expect(await registry.register(schema, options)).toMatchObject({ id: latest.json.id });
    const changed = { ...schema, fields: schema.fields.slice(1) };
    await expect(registry.register(changed, options)).rejects.toThrow(/read-only: schemas are released by a deploy/);
  });

  it("errors are the registry's", async () => {
    await expect(registry.getLatestSchemaId("nope-value")).rejects.toMatchObject({ status: 404 });
    const { json } = await test.get("/registry/schemas/ids/7");
    expect(json).toEqual({ error_code: 40403, message: "Schema 7 not found." });
    expect((await test.get("/registry/subjects", {})).json).toMatchObject({ error_code: 401 });
  });

  it("the contract's documents come from the same bundle, and nothing was an error", async () => {
    const example = await test.get("/v1/contracts/orders/example");
    const sent = await test.post("orders", example.text);
    expect([sent.status, sent.text]).toEqual([202, expect.stringContaining('"accepted":1')]);
    for (const path of ["/v1/contracts/orders", "/v1/contracts/orders/schema.json", "/openapi.json", "/docs"]) {
      expect([path, (await test.get(path)).status]).toEqual([path, 200]);
    }
    expect(test.errors).toEqual([]);
  });
});
