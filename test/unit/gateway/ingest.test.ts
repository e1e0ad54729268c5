import { describe, expect, it } from "vitest";
import { contractOf, currentSchema } from "../../../contracts/registry.ts";
import { answer, createHarness, deadLetters, errorTypes, order, reading } from "./harness.ts";

const ORDERS = "/v1/topics/orders/events";

/** What an event that names no version is judged by. */
const CURRENT = (() => {
  const contract = contractOf("orders");
  if (contract === undefined) throw new Error("there is no topic orders");
  return { ...currentSchema(contract), contractVersion: contract.version };
})();

describe("POST /v1/topics/{topic}/events", () => {
  it("accepts an array, one object and NDJSON, and sends what it accepted", async () => {
    const harness = createHarness();
    const array = await harness.post(ORDERS, [order("a"), order("b")]);
    expect(array.status).toBe(202);
    expect(await answer(array)).toMatchObject({ topic: "orders", accepted: 2, rejected: 0, retry: 0, results: [] });
    expect((await harness.post(ORDERS, order("c"))).status).toBe(202);
    const lines = `${JSON.stringify(order("d"))}\r\n\n  \n${JSON.stringify(order("e"))}`;
    const ndjson = await harness.post(`${ORDERS}?results=all`, lines, { "content-type": "application/x-ndjson" });
    expect(ndjson.status).toBe(202);
    expect((await answer(ndjson)).results.map(({ event_id, status }) => [event_id, status])).toEqual([
      ["d", "accepted"],
      ["e", "accepted"],
    ]);
    const ids = harness.sent.flatMap(({ envelopes }) =>
      envelopes.map(({ event }) => JSON.parse(JSON.stringify(event))),
    );
    expect(ids.map(({ event_id }) => event_id).sort()).toEqual(["a", "b", "c", "d", "e"]);
    expect(ids.find(({ event_id }) => event_id === "a")).toMatchObject(order("a"));
  });

  it("gives the header what the consumer needs, and numbers the messages of a topic", async () => {
    const harness = createHarness();
    const first = await answer(await harness.post(ORDERS, [order("a")]));
    await harness.post(ORDERS, [order("b")]);
    const [one, two] = harness.sent.map(({ header }) => header);
    expect(one).toMatchObject({
      topic: "orders",
      schema_id: CURRENT.id,
      contract_version: CURRENT.contractVersion,
      producer: "producer of local-dev-key",
      request_id: first.request_id,
      received: harness.clock.now() * 1_000,
      count: 1,
    });
    expect(two?.gateway).toBe(one?.gateway);
    expect(two?.sequence).toBe((one?.sequence ?? 0) + 1);
    expect(two?.message_id).not.toBe(one?.message_id);
  });

  it("rejects one by one: 207, a reason each, and a dead letter with reason and position", async () => {
    const harness = createHarness();
    const good = JSON.stringify(order("a"));
    const bad = JSON.stringify(order("b", { currency: "XYZ" }));
    const body = `[ ${good} ,\n ${bad} ]`;
    const response = await harness.post(ORDERS, body);
    expect(response.status).toBe(207);
    const verdict = await answer(response);
    expect(verdict).toMatchObject({ accepted: 1, rejected: 1, retry: 0 });
    expect(verdict.results).toEqual([
      {
        index: 1,
        event_id: "b",
        status: "rejected",
        errors: [
          {
            error_type: "INVALID_ENUM",
            pointer: "/currency",
            rule: "orders.currency.accepted",
            detail: 'expected one of USD, EUR, GBP, INR, JPY, got the string "XYZ"',
            contract_version: CURRENT.contractVersion,
          },
        ],
      },
    ]);
    expect(deadLetters(harness)).toEqual([
      expect.objectContaining({
        source_topic: "orders",
        request_id: verdict.request_id,
        event_index: 1,
        byte_offset: body.indexOf(bad),
        event_id: "b",
        contract_version: CURRENT.contractVersion,
        schema_version: CURRENT.version,
        stage: "admission",
        error_type: "INVALID_ENUM",
        payload: bad,
        payload_encoding: "utf-8",
        payload_ref: null,
        received_at: "2026-11-21T12:00:00.000Z",
        attempts: 1,
        replay_of: null,
      }),
    ]);
    const message = harness.sent.find(({ topic }) => topic === "dead_letters");
    expect(message?.header.slices[0]?.tally).toEqual({ "orders|INVALID_ENUM": 1 });
  });

  it("answers 422 when nothing was accepted", async () => {
    const response = await createHarness().post(ORDERS, [order("a", { status: 1 }), 5]);
    expect(response.status).toBe(422);
    expect(errorTypes(await answer(response))).toEqual({ 0: "TYPE_MISMATCH", 1: "MALFORMED_PAYLOAD" });
  });

  it("dry_run gives the same verdicts and stores nothing", async () => {
    const harness = createHarness();
    const events = [order("a"), order("b", { amount: 1 })];
    const dry = await harness.post(`${ORDERS}?dry_run=true`, events);
    expect(harness.sent).toEqual([]);
    const wet = await harness.post(ORDERS, events);
    expect(dry.status).toBe(wet.status);
    const { request_id: _one, ...dryBody } = await answer(dry);
    const { request_id: _two, ...wetBody } = await answer(wet);
    expect(dryBody).toEqual({ ...wetBody, dry_run: true });
    expect(errorTypes({ ...dryBody, request_id: "" })).toEqual({ 1: "RULE_VIOLATION" });
    expect((await harness.post(`${ORDERS}?dry_run=maybe`, events)).status).toBe(400);
  });

  it("has a place for every error type", async () => {
    const harness = createHarness();
    const cases: readonly (readonly [string, Record<string, unknown>])[] = [
      ["UNKNOWN_SCHEMA", { schema_version: 99 }],
      ["MISSING_FIELD", { order_id: undefined }],
      ["MISSING_FIELD", { order_id: null }],
      ["TYPE_MISMATCH", { amount: "lots" }],
      ["TYPE_MISMATCH", { amount: 25.505 }],
      ["TYPE_MISMATCH", { schema_version: "1" }],
      ["INVALID_ENUM", { channel: "fax" }],
      ["INVALID_FORMAT", { order_id: "12" }],
      ["INVALID_FORMAT", { event_timestamp: "yesterday" }],
      ["INVALID_FORMAT", { event_timestamp: "1600-01-01T00:00:00Z" }],
      ["INVALID_FORMAT", { customer_id: "" }],
      ["VALUE_OUT_OF_RANGE", { amount: -25.5 }],
      ["VALUE_OUT_OF_RANGE", { amount: "99999999999.00" }],
      ["VALUE_OUT_OF_RANGE", { items: [] }],
      ["VALUE_OUT_OF_RANGE", { items: [{ sku: "a", name: "n", quantity: 3_000_000_000, unit_price: 1 }] }],
      ["TIMESTAMP_OUT_OF_RANGE", { event_timestamp: "2026-11-21T12:05:00.001Z" }],
      ["TIMESTAMP_OUT_OF_RANGE", { event_timestamp: "2026-11-14T11:59:59.999Z" }],
      ["RULE_VIOLATION", { amount: 25.52 }],
      ["EVENT_TOO_LARGE", { note: "x".repeat(120_000) }],
    ];
    const response = await harness.post(
      ORDERS,
      cases.map(([, changes], index) => order(`e${index}`, changes)),
    );
    expect(errorTypes(await answer(response))).toEqual(Object.fromEntries(cases.map(([type], index) => [index, type])));
    const rule = await answer(await harness.post(ORDERS, order("r", { amount: 25.52 })));
    expect(rule.results[0]?.errors[0]).toMatchObject({ rule: "orders.amount_is_sum_of_items", pointer: "/amount" });
    const letter = deadLetters(harness).find(({ error_type }) => error_type === "EVENT_TOO_LARGE");
    expect(letter?.["payload"]).toBeNull();
    const stored = harness.objects.get(String(letter?.["payload_ref"]));
    expect(JSON.parse(Buffer.from(stored ?? []).toString())).toEqual(order("e18", { note: "x".repeat(120_000) }));
  });

  it("takes the window's ends, and judges a rule only where the structure holds", async () => {
    const harness = createHarness();
    const ends = [{ event_timestamp: "2026-11-21T12:05:00Z" }, { event_timestamp: "2026-11-14T12:00:00Z" }];
    expect(
      (
        await harness.post(
          ORDERS,
          ends.map((end, index) => order(`e${index}`, end)),
        )
      ).status,
    ).toBe(202);
    const both = await answer(await harness.post(ORDERS, order("a", { amount: "x", status: "gone" })));
    expect(both.results[0]?.errors.map(({ error_type }) => error_type)).toEqual(["TYPE_MISMATCH", "INVALID_ENUM"]);
  });

  it("judges by the event's schema version, else the header's", async () => {
    const harness = createHarness();
    const header = { "sluice-schema-version": "9" };
    const response = await harness.post(ORDERS, [order("a"), order("b", { schema_version: 1 })], header);
    expect(errorTypes(await answer(response))).toEqual({ 0: "UNKNOWN_SCHEMA" });
    expect((await harness.post(ORDERS, [order("a")], { "sluice-schema-version": "one" })).status).toBe(400);
  });

  it("accepts decimals as text and rules see them as numbers; unknown fields and odd forms travel beside the event", async () => {
    const harness = createHarness();
    const odd = order("a", {
      amount: "25.50",
      coupon: null,
      event_timestamp: "2026-11-21T12:59:00+01:00",
      constructor: { a: 1 },
      big: 1,
    });
    const text = JSON.stringify(odd).replace('"big":1', '"big":12345678901234567890.10');
    expect((await harness.post(ORDERS, text)).status).toBe(202);
    const envelope = harness.sent[0]?.envelopes[0];
    expect(envelope?.extra).toBe('{"constructor":{"a":1},"big":12345678901234567890.10}');
    expect(JSON.parse(envelope?.lexical ?? "")).toEqual({
      "/amount": "25.50",
      "/coupon": null,
      "/event_timestamp": "2026-11-21T12:59:00+01:00",
    });
  });

  it("packs many events into messages of at most 60 KB, in order inside a shard", async () => {
    const harness = createHarness();
    const events = Array.from({ length: 2_000 }, (_, index) => order(`event-${index}`));
    expect((await harness.post(ORDERS, events)).status).toBe(202);
    expect(harness.sent.length).toBeGreaterThan(2);
    expect(Math.max(...harness.sent.map(({ bytes }) => bytes))).toBeLessThanOrEqual(60_000);
    for (const shard of [0, 1]) {
      const sequences = harness.sent.map(({ envelopes }) => envelopes.filter((each) => each.shard === shard));
      for (const part of sequences) {
        const indexes = part.map(({ index }) => index);
        expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
      }
    }
    expect(harness.sent.flatMap(({ envelopes }) => envelopes).length).toBe(2_000);
  });

  it("sends a large event alone, below the queue's limit", async () => {
    const harness = createHarness();
    const events = [order("a"), order("b", { note: "x".repeat(99_000) }), order("c")];
    expect((await harness.post(ORDERS, events)).status).toBe(202);
    expect(harness.sent.map(({ header }) => header.count)).toEqual([1, 1, 1]);
  });

  it("writes one line per request, without payload or key", async () => {
    const harness = createHarness();
    await harness.post("/v1/topics/weather/events", [reading("secret-id"), reading("b", { city: 5 })]);
    expect(harness.logs).toEqual([
      expect.objectContaining({
        event: "request",
        method: "POST",
        path: "/v1/topics/weather/events",
        status: 207,
        topic: "weather",
        producer: "producer of local-dev-key",
        events: 2,
        accepted: 1,
        rejected: 1,
        retry: 0,
        messages: 2,
      }),
    ]);
    const line = JSON.stringify(harness.logs).replace("producer of local-dev-key", "");
    expect(line).not.toContain("secret-id");
    expect(line).not.toContain("local-dev-key");
  });
});
