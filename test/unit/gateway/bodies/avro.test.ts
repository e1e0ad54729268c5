import { once } from "node:events";
import avro from "avsc";
import { describe, expect, it } from "vitest";
import { codecById } from "../../../../schemas/codecs.ts";
import { avroOptions } from "../../../../schemas/logical-types.ts";
import { answer, createHarness, deadLetters, errorTypes, order } from "../harness.ts";

const ORDERS = "/v1/topics/orders/events";
const CONTAINER = { "content-type": "application/avro" };
const WIRE = { "content-type": "application/vnd.confluent.avro" };

const ordersV1 = (() => {
  const codec = codecById(100_001);
  if (codec === undefined) throw new Error("orders v1 is not released");
  return codec;
})();
const schemaV1: avro.Schema = JSON.parse(JSON.stringify(ordersV1.schema));

async function container(
  values: readonly unknown[],
  options: { readonly schema?: avro.Schema; readonly codec?: "null" | "deflate"; readonly blockSize?: number } = {},
): Promise<Buffer> {
  const { schema = schemaV1, ...encoding } = options;
  const encoder = new avro.streams.BlockEncoder(avro.Type.forSchema(schema, avroOptions()), encoding);
  const chunks: Buffer[] = [];
  encoder.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (const value of values) encoder.write(value);
  encoder.end();
  await once(encoder, "end");
  return withSchema(Buffer.concat(chunks), JSON.stringify(schema));
}

/** A file as avsc writes it: its own document of the schema has decimals without their precision. */
async function asAvscWrites(values: readonly unknown[]): Promise<Buffer> {
  const encoder = new avro.streams.BlockEncoder(ordersV1.type);
  const chunks: Buffer[] = [];
  encoder.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (const value of values) encoder.write(value);
  encoder.end();
  await once(encoder, "end");
  return Buffer.concat(chunks);
}

/** The same file with one schema document in place of another. */
function withSchema(file: Buffer, schema: string): Buffer {
  const start = file.indexOf("avro.schema") + "avro.schema".length;
  const long = avro.Type.forSchema("long");
  const { value: length, offset }: { value: number; offset: number } = long.decode(file, start);
  return Buffer.concat([
    file.subarray(0, start),
    long.toBuffer(Buffer.byteLength(schema)),
    Buffer.from(schema),
    file.subarray(offset + length),
  ]);
}

function wire(id: number, datum: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(id, 1);
  return Buffer.concat([prefix, datum]);
}

describe("Avro container files", () => {
  it("are taken with codec null and deflate, in blocks, with or without documentation", async () => {
    const events = Array.from({ length: 1_200 }, (_, index) => order(`e${index}`));
    for (const codec of ["null", "deflate"] as const) {
      const harness = createHarness();
      const response = await harness.post(
        `${ORDERS}?results=all`,
        await container(events, { codec, blockSize: 5_000 }),
        CONTAINER,
      );
      expect(response.status).toBe(202);
      expect((await answer(response)).results.map(({ event_id }) => event_id)).toEqual(
        events.map(({ event_id }) => event_id),
      );
      const sent = harness.sent.flatMap(({ envelopes }) => envelopes);
      expect(sent).toHaveLength(1_200);
      // Null stands for absent in Avro: nothing is left beside the event.
      expect(sent.every(({ extra, lexical }) => extra === null && lexical === null)).toBe(true);
      expect(harness.sent[0]?.header.schema_id).toBe(100_001);
      expect(sent.find(({ index }) => index === 7)?.event).toMatchObject(order("e7"));
    }
    const bare = JSON.parse(
      JSON.stringify(ordersV1.schema, (key, value) => (key === "doc" || key === "default" ? undefined : value)),
    );
    const undocumented = withSchema(await container([order("a")]), JSON.stringify(bare));
    expect((await createHarness().post(ORDERS, undocumented, { "content-type": "avro/binary" })).status).toBe(202);
  });

  it("of another schema, or of the same form with other logical types, are one UNKNOWN_SCHEMA", async () => {
    const harness = createHarness();
    const text = JSON.stringify(ordersV1.schema);
    const good = await container([order("a"), order("b")]);
    const others = [
      text.replace('"coupon"', '"voucher"'),
      text.replace("timestamp-micros", "timestamp-millis"),
      text.replace('"scale":2', '"scale":4'),
      '"string"',
    ];
    for (const schema of others) {
      const response = await harness.post(ORDERS, withSchema(good, schema), CONTAINER);
      expect(response.status).toBe(422);
      const body = await answer(response);
      expect([body.accepted, body.rejected, errorTypes(body)]).toEqual([0, 1, { 0: "UNKNOWN_SCHEMA" }]);
    }
    expect(deadLetters(harness)[0]).toMatchObject({
      error_type: "UNKNOWN_SCHEMA",
      stage: "decode",
      payload_encoding: "base64",
    });
    expect(Buffer.from(String(deadLetters(harness)[0]?.["payload"]), "base64")).toEqual(
      withSchema(good, others[0] ?? ""),
    );
    // A schema in its canonical form names no logical type and is ours.
    const canonical = JSON.stringify(avro.Type.forSchema(schemaV1, avroOptions()).schema());
    expect((await harness.post(ORDERS, withSchema(good, canonical), CONTAINER)).status).toBe(202);
    expect((await harness.post(ORDERS, await asAvscWrites([order("a")]), CONTAINER)).status).toBe(202);
    expect((await harness.post("/v1/topics/weather/events", good, CONTAINER)).status).toBe(422);
  });

  it("keep a refused event as JSON, and one that cannot be decoded as its bytes, with the rest of its block", async () => {
    const harness = createHarness();
    const file = await container([order("a"), order("b", { channel: "fax" }), order("c"), order("d")]);
    const verdict = await answer(await harness.post(ORDERS, file, CONTAINER));
    expect([verdict.accepted, errorTypes(verdict)]).toEqual([3, { 1: "INVALID_ENUM" }]);
    const datum = ordersV1.type.toBuffer(order("b", { channel: "fax" }));
    expect(deadLetters(harness)[0]).toMatchObject({
      byte_offset: file.indexOf(datum),
      payload_encoding: "utf-8",
      schema_version: 1,
    });
    expect(JSON.parse(String(deadLetters(harness)[0]?.["payload"]))).toEqual(order("b", { channel: "fax" }));

    const broken = Buffer.from(file);
    const at = broken.indexOf(ordersV1.type.toBuffer(order("c")));
    // The length of its first text.
    broken[at] = 0xff;
    const second = await answer(await harness.post(ORDERS, broken, CONTAINER));
    expect([second.accepted, second.rejected, errorTypes(second)]).toEqual([
      1,
      2,
      { 1: "INVALID_ENUM", 2: "MALFORMED_PAYLOAD" },
    ]);
    expect(second.results[1]?.errors[0]?.detail).toMatch(/event 3 of 4 .* other 1 events/);
    const letter = deadLetters(harness).at(-1);
    expect(letter).toMatchObject({ byte_offset: at, payload_encoding: "base64" });
    expect(Buffer.from(String(letter?.["payload"]), "base64")).toEqual(broken.subarray(at, broken.length - 16));
  });

  it("that are cut, forged or of a foreign codec are malformed as a whole", async () => {
    const harness = createHarness();
    const file = await container([order("a"), order("b")], { codec: "deflate" });
    const forged = Buffer.from(file);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    const cases = [
      Buffer.from("Obj\x02"),
      Buffer.from("[]"),
      file.subarray(0, 60),
      file.subarray(0, -1),
      forged,
      Buffer.concat([file, Buffer.from([0, 2, 0x58]), file.subarray(-16)]),
      withSchema(file, "{"),
      withSchema(file, "[".repeat(100_000)),
      Buffer.from(file.toString("latin1").replace("\x0edeflate", "\x0clzo1x!"), "latin1"),
      Buffer.concat([
        Buffer.from("Obj\x01"),
        Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
      ]),
    ];
    for (const body of cases) {
      const response = await harness.post(ORDERS, body, CONTAINER);
      expect([response.status, (await answer(response)).code]).toEqual([400, "MALFORMED_PAYLOAD"]);
    }
    expect(deadLetters(harness)).toHaveLength(cases.length);
    expect((await harness.post(ORDERS, "", CONTAINER)).status).toBe(400);
    expect((await harness.post(ORDERS, file.subarray(0, file.indexOf("deflate") + 24), CONTAINER)).status).toBe(400);
  });

  it("with a bomb in a block are too large, and a claimed count costs nothing", async () => {
    const harness = createHarness({ limits: { bodyBytes: 300_000 } });
    const bomb = await container([order("a", { coupon: "x".repeat(1_000_000) })], { codec: "deflate" });
    const response = await harness.post(ORDERS, bomb, CONTAINER);
    expect([response.status, (await answer(response)).code]).toEqual([413, "BODY_TOO_LARGE"]);
    const file = await container([order("a")]);
    const count = file.indexOf(ordersV1.type.toBuffer(order("a"))) - 3;
    const claimed = Buffer.concat([
      file.subarray(0, count),
      Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]),
      file.subarray(count + 1),
    ]);
    const verdict = await answer(await harness.post(ORDERS, claimed, CONTAINER));
    expect([verdict.accepted, errorTypes(verdict)]).toEqual([1, { 1: "MALFORMED_PAYLOAD" }]);
  });
});

describe("Confluent's wire format", () => {
  it("is one event of a released schema", async () => {
    const harness = createHarness();
    const response = await harness.post(ORDERS, wire(100_001, ordersV1.type.toBuffer(order("a"))), WIRE);
    expect(response.status).toBe(202);
    expect(harness.sent[0]?.envelopes[0]?.event).toMatchObject(order("a"));
  });

  it("refuses unknown ids, ids of other topics, rests and what has no prefix", async () => {
    const harness = createHarness();
    const datum = ordersV1.type.toBuffer(order("a"));
    const type = async (body: Uint8Array) => errorTypes(await answer(await harness.post(ORDERS, body, WIRE)));
    expect(await type(wire(7, datum))).toEqual({ 0: "UNKNOWN_SCHEMA" });
    expect(await type(wire(100_004, datum))).toEqual({ 0: "UNKNOWN_SCHEMA" });
    expect(await type(datum)).toEqual({ 0: "MALFORMED_PAYLOAD" });
    expect(await type(Buffer.from([0, 0]))).toEqual({ 0: "MALFORMED_PAYLOAD" });
    expect(await type(wire(100_001, datum.subarray(0, 20)))).toEqual({ 0: "MALFORMED_PAYLOAD" });
    expect(await type(wire(100_001, Buffer.concat([datum, datum])))).toEqual({ 1: "MALFORMED_PAYLOAD" });
    expect((await harness.post(ORDERS, "", WIRE)).status).toBe(400);
  });

  it("never alters what JSON or a double cannot say", async () => {
    const harness = createHarness();
    const weather = codecById(100_004);
    if (weather === undefined) throw new Error("weather v1 is not released");
    const clear = JSON.stringify(weather.schema).replace('"timestamp-micros"', '"none"');
    const type = avro.Type.forSchema(JSON.parse(clear));
    const values = {
      event_id: "a",
      station_id: "DE-001",
      city: "Berlin",
      country: "DE",
      event_timestamp: 1_795_262_340_000_000,
      temperature_c: Number.NaN,
      humidity_pct: 81,
      pressure_hpa: 1_013,
      wind_speed_ms: 3,
      condition: "clouds",
      is_forecast: false,
    };
    const datum = type.toBuffer(values);
    const verdict = await answer(await harness.post("/v1/topics/weather/events", wire(100_004, datum), WIRE));
    expect(errorTypes(verdict)).toEqual({ 0: "VALUE_OUT_OF_RANGE" });
    expect(deadLetters(harness)[0]).toMatchObject({ payload_encoding: "base64", payload: datum.toString("base64") });
  });
});
