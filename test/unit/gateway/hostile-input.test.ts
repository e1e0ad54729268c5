import { describe, expect, it } from "vitest";
import { applyResidue } from "../../../schemas/event-residue.ts";
import { addKey, answer, bearer, createHarness, deadLetters, errorTypes, order, reading } from "./harness.ts";

const ORDERS = "/v1/topics/orders/events";
const WEATHER = "/v1/topics/weather/events";
const NDJSON = { "content-type": "application/x-ndjson" };

describe("requests that are refused as a whole", () => {
  it("unknown topic, wrong key, no key, a key for another topic, the platform's own topic", async () => {
    const harness = createHarness();
    addKey(harness.db, "weather-key", ["weather:write"]);
    const code = async (response: Promise<Response>) => {
      const settled = await response;
      const { code } = await answer(settled);
      return [settled.status, code];
    };
    expect(await code(harness.post("/v1/topics/nope/events", [order("a")]))).toEqual([404, "UNKNOWN_TOPIC"]);
    expect(await code(harness.post("/v1/topics/__proto__/events", [order("a")]))).toEqual([404, "UNKNOWN_TOPIC"]);
    const wrong = { authorization: bearer("wrong") };
    expect(await code(harness.post(ORDERS, [order("a")], wrong))).toEqual([401, "UNAUTHENTICATED"]);
    expect(await code(harness.post(ORDERS, [order("a")], { authorization: "none" }))).toEqual([401, "UNAUTHENTICATED"]);
    const other = { authorization: bearer("weather-key") };
    expect(await code(harness.post(ORDERS, [order("a")], other))).toEqual([403, "FORBIDDEN"]);
    expect((await harness.post(WEATHER, [reading("a")], other)).status).toBe(202);
    expect(await code(harness.post("/v1/topics/dead_letters/events", [{}]))).toEqual([403, "PLATFORM_TOPIC"]);
  });

  it("malformed JSON and invalid UTF-8: 400 and one dead letter with the body as received", async () => {
    const harness = createHarness();
    const body = `[${JSON.stringify(order("a"))},`;
    const response = await harness.post(ORDERS, body);
    expect(response.status).toBe(400);
    expect(await answer(response)).toMatchObject({ code: "MALFORMED_PAYLOAD" });
    expect(deadLetters(harness)).toEqual([
      expect.objectContaining({
        event_index: 0,
        byte_offset: 0,
        stage: "decode",
        error_type: "MALFORMED_PAYLOAD",
        payload: body,
      }),
    ]);
    const bytes = Buffer.concat([Buffer.from('{"event_id":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    expect((await harness.post(ORDERS, bytes)).status).toBe(400);
    const letter = deadLetters(harness)[1];
    expect(letter).toMatchObject({ payload_encoding: "base64", payload: bytes.toString("base64") });
    expect((await harness.post(`${ORDERS}?dry_run=true`, "nonsense")).status).toBe(400);
    expect(deadLetters(harness)).toHaveLength(2);
  });

  it("an unreadable document of megabytes goes to the lake by reference", async () => {
    const harness = createHarness();
    const body = "[".repeat(3_000_000);
    expect((await harness.post(ORDERS, body)).status).toBe(400);
    const key = String(deadLetters(harness)[0]?.["payload_ref"]);
    expect(key).toMatch(/^dead_letters\/payloads\/2026-11-21\/[0-9a-f]{32}$/);
    expect(harness.objects.get(key)?.byteLength).toBe(3_000_000);
  });

  it("an empty array, an empty body, blank lines, a scalar", async () => {
    const harness = createHarness();
    for (const body of ["[]", " [ ] ", "", "  \n"]) {
      const response = await harness.post(ORDERS, body);
      expect([response.status, (await answer(response)).code]).toEqual([400, "EMPTY_BODY"]);
    }
    expect((await harness.post(ORDERS, "\n \r\n", NDJSON)).status).toBe(400);
    expect(harness.sent).toEqual([]);
    for (const scalar of ["42", '"text"', "null", "true", "12345678901234567890"]) {
      expect((await harness.post(ORDERS, scalar)).status).toBe(400);
    }
    expect(deadLetters(harness)).toHaveLength(5);
  });

  it("a body over the limit, declared or not, and too many events", async () => {
    const harness = createHarness({ limits: { bodyBytes: 1_000, eventsPerRequest: 3 } });
    const large = JSON.stringify([order("a", { note: "x".repeat(1_000) })]);
    const declared = await harness.post(ORDERS, large, { "content-length": String(large.length) });
    expect([declared.status, (await answer(declared)).code]).toEqual([413, "BODY_TOO_LARGE"]);
    // Without a Content-Length header, as here, the body is counted while it is read.
    const streamed = await harness.post(ORDERS, large);
    expect([streamed.status, (await answer(streamed)).code]).toEqual([413, "BODY_TOO_LARGE"]);
    for (const [body, headers] of [
      ["[1,2,3,4]", {}],
      ["1\n2\n3\n4", NDJSON],
    ] as const) {
      const many = await harness.post(ORDERS, body, headers);
      expect([many.status, (await answer(many)).code]).toEqual([413, "TOO_MANY_EVENTS"]);
    }
    expect(harness.sent).toEqual([]);
  });

  it("other formats and encodings", async () => {
    const harness = createHarness();
    const status = async (headers: Record<string, string>) =>
      (await harness.post(ORDERS, [order("a")], headers)).status;
    expect(await status({ "content-type": "text/plain" })).toBe(415);
    expect(await status({ "content-type": "application/cloudevents+avro" })).toBe(415);
    expect(await status({ "content-type": "application/json; charset=latin1" })).toBe(415);
    expect(await status({ "content-encoding": "br" })).toBe(415);
    expect(await status({ "content-type": "Application/JSON; charset=UTF-8", "content-encoding": "identity" })).toBe(
      202,
    );
  });
});

describe("events that are refused alone", () => {
  it("one malformed NDJSON line among good ones, one that is not UTF-8, one that is no object", async () => {
    const harness = createHarness();
    const lines = [
      JSON.stringify(order("ä")),
      '{"event_id": "b"',
      JSON.stringify(order("c")),
      "17",
      "",
      JSON.stringify(order("d")),
    ];
    const response = await harness.post(ORDERS, lines.join("\n"), NDJSON);
    expect(response.status).toBe(207);
    expect(await answer(response)).toMatchObject({ accepted: 3, rejected: 2 });
    const [cut, scalar] = deadLetters(harness);
    const offset = Buffer.byteLength(`${lines[0]}\n`);
    expect(cut).toMatchObject({ event_index: 1, byte_offset: offset, payload: lines[1], stage: "decode" });
    expect(scalar).toMatchObject({ event_index: 3, payload: "17", error_type: "MALFORMED_PAYLOAD" });

    const bytes = Buffer.concat([
      Buffer.from(`${lines[0]}\n`),
      Buffer.from([0x22, 0xc3, 0x28, 0x22]),
      Buffer.from(`\n${lines[2]}`),
    ]);
    const utf8 = await harness.post(ORDERS, bytes, NDJSON);
    expect(await answer(utf8)).toMatchObject({ accepted: 2, rejected: 1 });
    expect(deadLetters(harness)[2]).toMatchObject({ payload_encoding: "base64", byte_offset: offset });
  });

  it("an event with 200 errors lists 50, and the last says so", async () => {
    const items = Array.from({ length: 200 }, () => ({ sku: 1, name: "n", quantity: 1, unit_price: 1 }));
    const body = await answer(await createHarness().post(ORDERS, order("a", { items })));
    const errors = body.results[0]?.errors ?? [];
    expect(errors).toHaveLength(50);
    expect(errors[49]?.detail).toMatch(/\(150 more errors are not listed\)$/);
  });

  it("nesting of 10,000: in an unknown field, in a typed one, as the event, with and without large numbers", async () => {
    const harness = createHarness();
    const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
    const deepObject = `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`;
    const with_ = (field: string) => JSON.stringify(order("x")).replace(/}$/, `,${field}}`);
    const events = [
      with_(`"u":${deep}`),
      with_(`"u":${deepObject}`),
      with_(`"city":1,"coupon":${deep}`),
      deep,
      deepObject,
      with_(`"n":12345678901234567890,"u":${deep}`),
      JSON.stringify(order("good", { n: 1 })).replace('"n":1', '"n":12345678901234567890'),
      with_(`"u":${"[".repeat(100)}${"]".repeat(100)}`),
    ];
    const expected = {
      0: "MALFORMED_PAYLOAD",
      1: "MALFORMED_PAYLOAD",
      2: "TYPE_MISMATCH",
      3: "MALFORMED_PAYLOAD",
      4: "MISSING_FIELD",
      5: "MALFORMED_PAYLOAD",
    };
    for (const [body, headers] of [
      [`[${events.join(",")}]`, {}],
      [events.join("\n"), NDJSON],
    ] as const) {
      const verdict = await answer(await harness.post(ORDERS, body, headers));
      expect(errorTypes(verdict)).toEqual(expected);
      expect(verdict.accepted).toBe(2);
    }
    const payloads = deadLetters(harness).map(({ payload, payload_ref }) =>
      payload === null ? Buffer.from(harness.objects.get(String(payload_ref)) ?? []).toString() : payload,
    );
    const refused = events.slice(0, 6);
    // A comparison of equal texts: printing a difference of this size would take minutes.
    expect(payloads.every((payload, position) => payload === refused[position % 6])).toBe(true);
    expect(payloads).toHaveLength(12);
  });

  it("lone surrogates, in typed and unknown strings and in keys, are INVALID_FORMAT", async () => {
    const harness = createHarness();
    const text = (change: string) => JSON.stringify(order("x", { coupon: "@" })).replace('"@"', change);
    const events = [
      text('"\\ud800"'),
      text('"ok","u":{"a":["\\udfff"]}'),
      text('"ok","\\uD801":1'),
      text('"\\ud83d\\ude00"'),
      text('"\\\\ud800"'),
    ];
    const verdict = await answer(await harness.post(ORDERS, `[${events.join(",")}]`));
    expect(errorTypes(verdict)).toEqual({ 0: "INVALID_FORMAT", 1: "INVALID_FORMAT", 2: "INVALID_FORMAT" });
    expect(verdict.results.map(({ errors }) => errors[0]?.pointer)).toEqual(["/coupon", "/u/a/0", "/\ufffd"]);
    expect(deadLetters(harness)[0]?.["payload"]).toBe(events[0]);
  });

  it("numbers beyond int64 and the double's exact range are never altered silently", async () => {
    const harness = createHarness();
    const raw = (field: string, number: string) => JSON.stringify(order("x", { [field]: "@" })).replace('"@"', number);
    const events = [
      raw("amount", "25.500000000000000001"),
      raw("amount", "25.50000000000000000000"),
      raw("schema_version", "9223372036854775808"),
      raw("coupon", "1e999"),
      raw("unknown", "9223372036854775808"),
      raw("unknown", "123456789.123456789"),
      raw("unknown", "1E-400"),
      raw("amount", "1e400"),
    ];
    const verdict = await answer(await harness.post(ORDERS, `[${events.join(",")}]`));
    expect(errorTypes(verdict)).toEqual({
      0: "TYPE_MISMATCH",
      2: "VALUE_OUT_OF_RANGE",
      3: "TYPE_MISMATCH",
      7: "VALUE_OUT_OF_RANGE",
    });
    const extras = harness.sent
      .flatMap(({ envelopes }) => envelopes.map(({ extra }) => extra))
      .filter((extra) => extra !== null);
    expect(extras.sort()).toEqual([
      '{"unknown":123456789.123456789}',
      '{"unknown":1E-400}',
      '{"unknown":9223372036854775808}',
    ]);
    const doubles = [reading("a", { temperature_c: "@" }), reading("b", { temperature_c: "@" })].map((event, index) =>
      JSON.stringify(event).replace('"@"', index === 0 ? "0.12345678901234567890" : "12345678901234567890"),
    );
    const weather = await answer(await harness.post(WEATHER, `[${doubles.join(",")}]`));
    expect(errorTypes(weather)).toEqual({ 1: "VALUE_OUT_OF_RANGE" });
    expect(harness.sent.find(({ topic }) => topic === "weather")?.envelopes[0]?.event).toMatchObject({
      temperature_c: 0.12345678901234568,
    });
  });

  it("__proto__, constructor and hasOwnProperty are fields like any other; of duplicate keys the last wins", async () => {
    const harness = createHarness();
    const hostile =
      '"__proto__":{"event_id":"evil"},"constructor":1,"hasOwnProperty":{"__proto__":null},"toString":[{"__proto__":1}]';
    const text = JSON.stringify(order("x")).replace(/}$/, `,${hostile},"event_id":"last"}`);
    const item = JSON.stringify(order("y")).replace(
      '"sku":"b"',
      '"sku":"b","__proto__":{"quantity":7},"constructor":2',
    );
    const response = await harness.post(`${ORDERS}?results=all`, `[${text},${item},{"__proto__":${text}}]`);
    const body = await answer(response);
    expect(body.results.map(({ event_id, status }) => [event_id, status])).toEqual([
      ["last", "accepted"],
      ["y", "accepted"],
      [null, "rejected"],
    ]);
    const sent = harness.sent.filter(({ topic }) => topic === "orders").flatMap(({ envelopes }) => envelopes);
    for (const [index, original] of [text, item].entries()) {
      const envelope = sent.find((each) => each.index === index);
      const typed = JSON.parse(JSON.stringify(envelope?.event), (_key, value) => value ?? undefined);
      expect(applyResidue(typed, envelope?.extra ?? null, envelope?.lexical ?? null)).toEqual(JSON.parse(original));
    }
  });

  it("a key or value of megabytes makes no verdict of megabytes, and no dead letter past a message", async () => {
    const harness = createHarness();
    const huge = "k".repeat(1_000_000);
    const items = Array.from({ length: 200 }, () => ({
      sku: "€".repeat(500),
      name: 1,
      quantity: "€".repeat(500),
      unit_price: "x",
    }));
    const response = await harness.post(ORDERS, [
      order("a", { amount: huge, [`${huge}\u{1F600}`]: 1 }),
      order("b", { items, currency: "€".repeat(40_000) }),
      order("e".repeat(300)),
    ]);
    const text = await response.text();
    expect(text.length).toBeLessThan(40_000);
    expect(deadLetters(harness)).toHaveLength(3);
    expect(deadLetters(harness)[2]).toMatchObject({ event_id: null });
  });

  it("decimal texts of any length are judged in no time that grows with their square", async () => {
    const body = await answer(await createHarness().post(ORDERS, order("a", { amount: "1".repeat(900_000) })));
    expect(errorTypes(body)).toEqual({ 0: "TYPE_MISMATCH" });
  });
});
