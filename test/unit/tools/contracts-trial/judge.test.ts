import { expect, test } from "vitest";
import type { Contract } from "../../../../contracts/contract.ts";
import { exampleEvent } from "../../../../contracts/documents/example-event.ts";
import { contractOf } from "../../../../contracts/registry.ts";
import { compilePlan } from "../../../../gateway/admit/plan.ts";
import { codecsOf } from "../../../../schemas/codecs.ts";
import { isJsonObject } from "../../../../schemas/event-residue.ts";
import { formatTimestamp } from "../../../../schemas/time.ts";
import { createJudge } from "../../../../tools/contracts-trial/judge.ts";
import { createTrialTally, renderTrial } from "../../../../tools/contracts-trial/report.ts";
import { outcomeOf } from "../../../../tools/contracts-trial/trial.ts";
import { localMasker, storedForm } from "../../../oracle/local-masker.ts";

const RECEIVED = 1_795_262_400_000_000;
const DAY = 86_400_000_000;

function contractNamed(topic: string): Contract {
  const contract = contractOf(topic);
  if (contract === undefined) throw new Error(`there is no contract for ${topic}`);
  return contract;
}

const orders = contractNamed("orders");
const order = {
  event_id: "o-1",
  order_id: "ord_000001",
  customer_id: "cus_1",
  event_timestamp: formatTimestamp(RECEIVED - DAY),
  status: "placed",
  currency: "EUR",
  amount: 20.5,
  channel: "web",
  items: [{ sku: "pizza", name: "Pizza Margherita", quantity: 2, unit_price: 10.25 }],
};

function judgeOf(contract: Contract, stored: Contract, version: number | null = null) {
  return createJudge({ contract, releases: codecsOf(contract.topic), version }, stored);
}

function errors(contract: Contract, event: unknown = order, version: number | null = 2): string[] {
  const judge = judgeOf(contract, orders);
  return judge
    .errorsOf({ event, received: RECEIVED, version, sealed: false })
    .map(({ error_type, pointer }) => `${error_type} ${pointer}`);
}

test("an event is judged by the proposed contract, its time by its own reception", () => {
  expect(errors(orders)).toEqual([]);
  const strict = orders.fields.map((rule) => (rule.name === "amount" ? { ...rule, maximum: 20 } : rule));
  expect(errors({ ...orders, fields: strict })).toEqual(["VALUE_OUT_OF_RANGE /amount"]);
  const window = { pastMs: 3_600_000, futureMs: 0 };
  expect(errors({ ...orders, eventTimeWindow: window })).toEqual(["TIMESTAMP_OUT_OF_RANGE /event_timestamp"]);
  expect(errors({ ...orders, unknownFields: "reject" }, { ...order, note: 1 })).toEqual(["UNKNOWN_FIELD /note"]);
});

test("each event by the version that it came in; one that is retired is refused", () => {
  const gift = { ...order, gift: "yes" };
  expect(errors(orders, gift, 1)).toEqual([]);
  expect(errors(orders, gift, 2)).toEqual(["TYPE_MISMATCH /gift"]);
  expect(errors(orders, gift, null)).toEqual(["TYPE_MISMATCH /gift"]);
  const schemas = orders.schemas.map((schema) => (schema.version === 1 ? { ...schema, retired: true } : schema));
  expect(errors({ ...orders, schemas }, order, 1)).toEqual(["UNKNOWN_SCHEMA /schema_version"]);
  const moved = judgeOf(orders, orders, 2);
  const typesOf = (version: number) =>
    moved.errorsOf({ event: gift, received: RECEIVED, version, sealed: false }).map(({ error_type }) => error_type);
  expect(typesOf(1)).toEqual(["TYPE_MISMATCH"]);
  expect(typesOf(99)).toEqual(["UNKNOWN_SCHEMA"]);
});

test("masked values are not held against rules of the clear ones; clear values in their place are", () => {
  const users = contractNamed("users");
  const [codec] = codecsOf("users").slice(-1);
  if (codec === undefined) throw new Error("users has no schema");
  const masked = users.fields.find((rule) => rule.masking !== undefined);
  if (masked === undefined) throw new Error("users masks nothing");
  const example: unknown = exampleEvent(users, codec, {
    now: RECEIVED / 1_000,
    id: "019307a0-0000-7000-8000-000000000001",
  });
  if (!isJsonObject(example)) throw new Error("an event is an object");
  const clear = { ...example, [masked.name]: "x" };
  const stored = storedForm(clear, compilePlan(users, codec.schema));
  const proposed: Contract = {
    ...users,
    eventTimeWindow: null,
    fields: users.fields.map((rule) => (rule.name === masked.name ? { ...rule, pattern: "^never$" } : rule)),
  };
  const judge = judgeOf(proposed, users);
  const about = (event: unknown) =>
    judge
      .errorsOf({ event, received: RECEIVED, version: null, sealed: false })
      .filter(({ pointer }) => pointer === `/${masked.name}`);
  expect(about(stored)).toEqual([]);
  expect(about(clear).length).toBeGreaterThan(0);
  expect(judge.isUnjudgeable({ pointer: `/${masked.name}`, rule: null })).toBe(true);
  const seal = localMasker().seal("users", "{}");
  const strict = judgeOf({ ...users, eventTimeWindow: null, unknownFields: "reject" }, users);
  if (!isJsonObject(stored)) throw new Error("an event is an object");
  const refused = strict.errorsOf({
    event: { ...stored, _extra: seal },
    received: RECEIVED,
    version: null,
    sealed: false,
  });
  expect(refused.map(({ error_type }) => error_type)).toContain("UNKNOWN_FIELD");
});

test("a dead letter passes if nothing is left to refuse it, and only if that can be told", () => {
  const judge = judgeOf(orders, orders);
  const outcome = (error_type: string, event: unknown = order, version = 2) => {
    const letter = { schema_version: version, errors: [{ error_type, pointer: "", rule: null, detail: "" }] };
    return outcomeOf(judge, letter, event, RECEIVED);
  };
  expect(outcome("VALUE_OUT_OF_RANGE")).toBe("newly_passing");
  expect(outcome("VALUE_OUT_OF_RANGE", { ...order, amount: -1 })).toBe("still_failing");
  expect(outcome("UNKNOWN_SCHEMA", { ...order, schema_version: 99 })).toBe("still_failing");
  expect(outcome("EVENT_TOO_LARGE")).toBe("still_failing");
  expect(outcome("QUALITY_GATE")).toBe("not_judged");
  expect(outcome("TYPE_MISMATCH", { ...order, gift: "yes" }, 1)).toBe("newly_passing");
});

test("the report counts events by reason, with at most five ids each", () => {
  const tally = createTrialTally();
  const error = { error_type: "VALUE_OUT_OF_RANGE", rule: "orders.items.quantity.maximum", detail: "got 5" } as const;
  for (let n = 0; n < 7; n++) {
    const pointers = [`/items/${n}/quantity`, "/items/9/quantity"];
    tally.accepted(
      `o-${n}`,
      pointers.map((pointer) => ({ ...error, pointer })),
    );
  }
  tally.accepted("o-7", []);
  tally.deadLetter("d-1", "newly_passing");
  tally.deadLetter("d-2", "still_failing");
  tally.deadLetter(null, "not_judged");
  const report = tally.report({
    topic: "orders",
    contract_version: "2.0.0",
    since: "S",
    rules_not_judged: ["orders.x"],
  });
  expect(report.accepted).toEqual({ total: 8, pass: 1, new_failures: 7 });
  expect(report.failures).toEqual([
    {
      error_type: "VALUE_OUT_OF_RANGE",
      rule: "orders.items.quantity.maximum",
      pointer: "/items/*/quantity",
      events: 7,
      examples: ["o-0", "o-1", "o-2", "o-3", "o-4"],
    },
  ]);
  expect(report.dead_letters).toEqual({ total: 3, newly_passing: 1, still_failing: 1, not_judged: 1 });
  const text = renderTrial(report).join("\n");
  expect(text).toContain("8: 1 pass, 7 new failures");
  expect(text).toContain("1 would pass now, 1 still fail, 1 cannot be judged  e.g. d-1");
  expect(text).not.toContain("got 5");
});
