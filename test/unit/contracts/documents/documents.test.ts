/** What is made from a contract: an example that the gateway takes, and a JSON Schema that says the same as the gateway. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { documents } from "../../../../contracts/documents/documents.generated.ts";
import { exampleEvent } from "../../../../contracts/documents/example-event.ts";
import { jsonSchemaOf } from "../../../../contracts/documents/json-schema.ts";
import { contractOf, contracts, currentSchema } from "../../../../contracts/registry.ts";
import { admitterOf } from "../../../../gateway/admit/topics.ts";
import { codecById } from "../../../../schemas/codecs.ts";
import { createEventBuffer } from "../../../../schemas/event-buffer.ts";
import { answer, createHarness, NOW } from "../../gateway/harness.ts";

const ID = "019aa000-0000-7000-8000-000000000000";

const topics = contracts.map((contract) => {
  const codec = codecById(currentSchema(contract).id);
  if (codec === undefined) throw new Error(`${contract.topic} has no codec`);
  return { topic: contract.topic, contract, codec, example: () => exampleEvent(contract, codec, { now: NOW, id: ID }) };
});

function validatorOf({ contract, codec }: (typeof topics)[number]) {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTypes: true });
  ajv.addFormat("date-time", /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d/).addFormat("date", /^\d{4}-\d\d-\d\d$/);
  return ajv.compile(jsonSchemaOf(contract, codec, "https://sluice.example/schema.json"));
}

const harness = createHarness();

/** Whether the gateway admits each event; producers cannot post to the platform's topics, so those ask the admitter itself. */
async function admitted(topic: string, events: readonly unknown[]): Promise<boolean[]> {
  if (contractOf(topic)?.platformOnly === true) {
    const context = { received: NOW * 1_000, suspectSurrogates: true, output: createEventBuffer(1_000), masker: null };
    return events.map((event) => admitterOf(topic)?.admit(event, 0, null, context).accepted === true);
  }
  const body = await answer(await harness.post(`/v1/topics/${topic}/events?dry_run=true&results=all`, events));
  return body.results.map(({ status }) => status === "accepted");
}

describe.each(topics)("$topic", (topic) => {
  it("has an example that the gateway admits; give fields `examples` in the contract if a rule refuses it", async () => {
    expect(await admitted(topic.topic, [topic.example()])).toEqual([true]);
  });

  it("has a JSON Schema that takes the example, and no event that lacks a required field or has another type", async () => {
    const validate = validatorOf(topic);
    const example = topic.example();
    expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
    const wrong = topic.contract.fields.flatMap(({ name, kind, required }) => {
      const { [name]: _value, ...without } = example;
      // A record may have no field that it must have, and keep others.
      const anotherType = { ...example, [name]: kind === "object" ? "no record" : { no: "field is like this" } };
      return required ? [anotherType, without, { ...example, [name]: null }] : [anotherType];
    });
    for (const event of wrong) expect(validate(event), JSON.stringify(event)).toBe(false);
    expect(await admitted(topic.topic, wrong)).toEqual(wrong.map(() => false));
    const { dedupeKey } = topic.contract;
    expect(example[dedupeKey[0] ?? ""]).toBeDefined();
  });

  it("has its contract as YAML and as JSON, equal", () => {
    const document = documents.get(topic.topic);
    expect(JSON.parse(document?.json ?? "")).toEqual(parse(document?.yaml ?? ""));
  });
});

describe("orders", () => {
  const orders = topics.find(({ topic }) => topic === "orders");
  it.each([
    ["a decimal as text", { amount: "24.50" }, true],
    ["a text that is no decimal", { amount: "24.5 EUR" }, false],
    ["a value outside the accepted ones", { currency: "XXX" }, false],
    ["a number below its minimum", { amount: 0 }, false],
    ["a text against its pattern", { order_id: "42" }, false],
    ["an empty list", { items: [] }, false],
    ["null for an optional field", { coupon: null }, true],
    ["an unknown field", { note: "kept" }, true],
    ["a nested field of another type", { items: [{ sku: "a", name: "A", quantity: 1.5, unit_price: 24.5 }] }, false],
  ])("%s", async (_what, change, valid) => {
    if (orders === undefined) throw new Error("there are no orders");
    const event = { ...orders.example(), ...change };
    expect(validatorOf(orders)(event)).toBe(valid);
    expect(await admitted("orders", [event])).toEqual([valid]);
  });
});
