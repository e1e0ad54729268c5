import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import type { Contract } from "../../../../contracts/contract.ts";
import { compileContract } from "../../../../tools/build/contracts/compile.ts";
import { renderTopicEvents } from "../../../../tools/build/contracts/render-topic-events.ts";
import { loadSchemas } from "../../../../tools/build/schemas/load.ts";

const root = resolve(import.meta.dirname, "../../../..");
const { releases } = loadSchemas(root);

function contract(topic: string): Contract {
  const file = `contracts/${topic}.yaml`;
  const compiled = compileContract({ file, text: readFileSync(join(root, file), "utf8") }, releases);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.contract;
}

const orders = contract("orders");

test("fields become types: accepted values, decimals, times, nested arrays, what may be absent", () => {
  const text = renderTopicEvents([orders], releases);
  expect(text).toContain("export interface TopicEvents {\n  readonly orders: OrdersEvent;\n}");
  expect(text).toMatch(/readonly event_id\?: string;/);
  expect(text).toContain("readonly event_timestamp: string | Date;");
  expect(text).toContain("readonly amount: number | string;");
  expect(text).toContain('readonly channel: "web" | "mobile" | "store";');
  expect(text).toMatch(/readonly coupon\?: string \| null;/);
  expect(text).toMatch(/readonly items: readonly \(\{\n {4}readonly sku: string;/);
  expect(text).toMatch(/EVENT_ID_FIELDS.*= \{\n {2}orders: "event_id",\n\};/);
});

test("only a single key field that a UUID fits is set by the client; what the platform writes is left out", () => {
  const ids = (changes: Partial<Contract>) =>
    renderTopicEvents([{ ...orders, ...changes }], releases).split("EVENT_ID_FIELDS")[1];
  expect(ids({ dedupeKey: ["event_id", "order_id"] })).not.toContain("orders:");
  expect(ids({ dedupeKey: ["order_id"] })).not.toContain("orders:");
  expect(ids({ fields: orders.fields.map((field) => ({ ...field, maxLength: 35 })) })).not.toContain("orders:");
  expect(renderTopicEvents([contract("dead_letters")], releases)).toContain("export interface TopicEvents {\n}");
});

test("names that are no identifiers are quoted, and a description cannot end its comment", () => {
  const text = renderTopicEvents([{ ...orders, topic: "my-topic", description: "a */ b" }], releases);
  expect(text).toContain('readonly "my-topic": MyTopicEvent;');
  expect(text).toContain("/** a *\\/ b */");
});
