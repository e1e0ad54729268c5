/** Every body format, sent to the real bundle and found in bronze. */
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { deflateRawSync, gzip, gzipSync, zstdCompressSync } from "node:zlib";
import avro from "avsc";
import { CloudEvent, HTTP } from "cloudevents";
import { compress } from "snappyjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codecById } from "../../schemas/codecs.ts";
import { order, weather } from "./events.ts";
import { type Answer, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
/** Ids of orders that were answered as accepted: at the end all of them must be in bronze, and nothing else. */
const accepted: string[] = [];

beforeAll(async () => {
  at = await startTestPlatform();
});
afterAll(() => at.close());

async function takes(ids: readonly string[], answer: Promise<Answer>): Promise<void> {
  const { status, json } = await answer;
  expect([status, json]).toMatchObject([202, { accepted: ids.length, rejected: 0 }]);
  accepted.push(...ids);
}

const ordersV1 = codecById(100_001);

async function container(ids: readonly string[], codec: "null" | "deflate"): Promise<Buffer> {
  if (ordersV1 === undefined) throw new Error("orders v1 is not released");
  const encoder = new avro.streams.BlockEncoder(ordersV1.type, { codec });
  const chunks: Buffer[] = [];
  encoder.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (const id of ids) encoder.write(order(id));
  encoder.end();
  await once(encoder, "end");
  return Buffer.concat(chunks);
}

describe("bodies, on the real bundle", () => {
  test("JSON and NDJSON, gzip", async () => {
    await takes(["gz-1", "gz-2"], at.post("orders", gzipSync(JSON.stringify([order("gz-1"), order("gz-2")])), GZIP));
    const lines = [order("gz-3"), order("gz-4")].map((event) => JSON.stringify(event)).join("\n");
    await takes(["gz-3", "gz-4"], at.post("orders", gzipSync(lines), { ...GZIP, type: "application/x-ndjson" }));
  });

  test("CloudEvents from the SDK: structured, binary; and a batch", async () => {
    const { event_id: _id, ...data } = order("");
    const event = (id: string) => new CloudEvent({ id, source: "/shop", type: "order.placed", trace: "t-1", data });
    const structured = HTTP.structured(event("ce-1"));
    await takes(["ce-1"], at.post("orders", String(structured.body), { type: "application/cloudevents+json" }));
    const binary = HTTP.binary(event("ce-2"));
    const headers = Object.fromEntries(Object.entries(binary.headers).map(([name, value]) => [name, String(value)]));
    await takes(["ce-2"], at.post("orders", String(binary.body), { headers }));
    const batch = JSON.stringify([event("ce-3"), event("ce-4")]);
    await takes(["ce-3", "ce-4"], at.post("orders", batch, { type: "application/cloudevents-batch+json" }));
  });

  test("Avro: container files with both codecs, Confluent's wire format", async () => {
    const plain = ["av-1", "av-2", "av-3"];
    await takes(plain, at.post("orders", await container(plain, "null"), { type: "application/avro" }));
    await takes(["av-4"], at.post("orders", await container(["av-4"], "deflate"), { type: "avro/binary" }));
    const datum = ordersV1?.type.toBuffer(order("av-5")) ?? Buffer.alloc(0);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(100_001, 1);
    const message = Buffer.concat([prefix, datum]);
    await takes(["av-5"], at.post("orders", message, { type: "application/vnd.confluent.avro" }));
    const other = await at.post("weather", await container(["x"], "null"), { type: "application/avro" });
    expect([other.status, other.json.results[0].errors[0].error_type]).toEqual([422, "UNKNOWN_SCHEMA"]);
    const cut = await at.post("orders", (await container(["x"], "deflate")).subarray(0, -20), { type: "avro/binary" });
    expect([cut.status, cut.json.code]).toEqual([400, "MALFORMED_PAYLOAD"]);
  });

  test("Avro as Python writes it, in every codec; and a bomb in each", async () => {
    const folder = "test/unit/gateway/bodies/avro-files";
    for (const name of readdirSync(folder).filter((file) => /-(null|deflate|snappy|zstandard)\.avro$/.test(file))) {
      const file = readFileSync(`${folder}/${name}`);
      const query = "?dry_run=true&results=all";
      const { json } = await at.post("orders", file, { type: "application/avro", query });
      // Verdicts depend on today's date; that they were decoded does not.
      const ids = json.results.map(({ event_id }: { event_id: string }) => event_id);
      expect([name, ids]).toEqual([name, ["py-0", "py-1", "py-2"]]);
    }
    for (const [name, bomb] of [
      ["deflate", deflateRawSync(ZEROS)],
      ["snappy", Buffer.concat([compress(new Uint8Array(ZEROS)), Buffer.alloc(4)])],
      ["zstandard", zstdCompressSync(ZEROS)],
    ] as const) {
      const body = withBlock(readFileSync(`${folder}/fastavro-${name}.avro`), bomb);
      const answer = await at.post("orders", body, { type: "application/avro" });
      expect([name, answer.status, answer.json.code]).toEqual([name, 413, "BODY_TOO_LARGE"]);
    }
  });

  test("gzip of several members, and headers of CloudEvents in UTF-8, encoded or not", async () => {
    const members = Buffer.concat(["gz-5", "gz-6"].map((id) => gzipSync(`${JSON.stringify(order(id))}\n`)));
    await takes(["gz-5", "gz-6"], at.post("orders", members, { ...GZIP, type: "application/x-ndjson" }));
    const post = (id: string, subject: string) => {
      const required = {
        "ce-specversion": "1.0",
        "ce-id": id,
        "ce-source": "/shop",
        "ce-type": "t",
        "ce-trace": "t-1",
      };
      return at.post("orders", JSON.stringify(order(id)), { headers: { ...required, "ce-subject": subject } });
    };
    // fetch writes each character as one byte.
    await takes(["ce-5"], post("ce-5", Buffer.from("Café").toString("latin1")));
    await takes(["ce-6"], post("ce-6", "Caf%C3%A9"));
    for (const subject of ["Caf\u00e9", "%C0%A0"]) {
      const { status, json } = await post("ce-7", subject);
      expect([status, json.detail]).toEqual([400, expect.stringContaining("ce-subject is not UTF-8")]);
    }
  });

  test("gzip that is none, that is cut off, that is a bomb; an encoding that is not taken", async () => {
    const good = gzipSync(JSON.stringify(order("x")));
    for (const body of [Buffer.from("[]"), good.subarray(0, -6)]) {
      const answer = await at.post("orders", body, GZIP);
      expect([answer.status, answer.json.code]).toEqual([400, "MALFORMED_PAYLOAD"]);
    }
    // In the background: seconds without the event loop would leave fetch a connection that was closed meanwhile.
    const bomb = await at.post("orders", await promisify(gzip)(Buffer.alloc(300_000_000)), GZIP);
    expect([bomb.status, bomb.json.code]).toEqual([413, "BODY_TOO_LARGE"]);
    expect((await at.post("orders", good, { headers: { "content-encoding": "br" } })).status).toBe(415);
  });

  test("20 MB of lines, as they are and compressed", async () => {
    const lines = Array.from({ length: 38_000 }, (_, index) =>
      JSON.stringify(weather(`w-${index}`, { note: "n".repeat(265) })),
    );
    const body = lines.join("\n");
    expect(body.length).toBeGreaterThan(19_000_000);
    const type = "application/x-ndjson";
    for (const answer of [
      await at.post("weather", body, { type }),
      await at.post("weather", gzipSync(body), { ...GZIP, type, query: "?dry_run=true" }),
    ]) {
      expect([answer.status, answer.json]).toMatchObject([202, { accepted: 38_000, rejected: 0 }]);
    }
    await at.until("38,000 readings in bronze", async () => (await bronzeRows(at.platform, "weather")) >= 38_000);
    const [row] = await at.rows("SELECT count(*) AS n, count(DISTINCT event_id) AS ids FROM bronze_weather");
    expect(row).toEqual({ n: "38000", ids: "38000" });
  });

  test("a key that comes twice is reported and stored", async () => {
    const answer = await at.post("orders", JSON.stringify([order("twice"), order("twice")]));
    expect([answer.status, answer.json]).toMatchObject([
      202,
      { duplicates: [{ index: 1, of: 0 }], duplicates_total: 1 },
    ]);
    accepted.push("twice", "twice");
  });

  test("all of them are in bronze, the same whatever they came in", async () => {
    await at.until("all orders in bronze", async () => (await bronzeRows(at.platform, "orders")) >= accepted.length);
    const rows = await at.rows(
      "SELECT event_id, amount::VARCHAR AS amount, len(items)::INT AS items, coupon, _extra, _lexical FROM bronze_orders ORDER BY event_id",
    );
    expect(rows.map((row) => row["event_id"]).sort()).toEqual([...accepted].sort());
    for (const row of rows) {
      const fromCloudEvent = String(row["event_id"]).startsWith("ce-");
      expect(row).toMatchObject({ amount: "20.50", items: 1, coupon: null, _lexical: null });
      if (!fromCloudEvent) expect(row["_extra"]).toBeNull();
      else expect(JSON.parse(String(row["_extra"]))).toMatchObject({ _cloudevent: { source: "/shop", trace: "t-1" } });
      if (["ce-5", "ce-6"].includes(String(row["event_id"]))) expect(row["_extra"]).toContain('"subject":"Café"');
    }
    expect(at.errors).toEqual([]);
  });
});

const ZEROS = Buffer.alloc(100_000_000);

/** A container file with one block in place of its own, which claims one event. */
function withBlock(file: Buffer, block: Uint8Array): Buffer {
  const sync = file.subarray(-16);
  const long = avro.Type.forSchema("long");
  const header = file.subarray(0, file.indexOf(sync) + sync.length);
  return Buffer.concat([header, long.toBuffer(1), long.toBuffer(block.length), block, sync]);
}

const GZIP = { headers: { "content-encoding": "gzip" } };
