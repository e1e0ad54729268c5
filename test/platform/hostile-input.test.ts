import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { order, weather } from "./events.ts";
import { bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
/** Every event that was answered as accepted: at the end all of them must be in bronze, and nothing else. */
const accepted: string[] = [];
let refused = 0;

beforeAll(async () => {
  at = await startTestPlatform();
});
afterAll(() => at.close());

async function rejectedOne(topic: string, event: unknown, errorType: string, pointer?: string) {
  const answer = await at.post(topic, typeof event === "string" ? event : JSON.stringify(event));
  expect(answer.json).toMatchObject({ accepted: 0, rejected: 1, retry: 0 });
  expect(answer.status).toBe(422);
  const [result] = answer.json.results;
  expect(result.errors[0].error_type).toBe(errorType);
  if (pointer !== undefined) expect(result.errors[0].pointer).toBe(pointer);
  refused++;
  return result;
}

describe("bad input, on the real bundle", () => {
  test("unknown topic", async () => {
    const answer = await at.post("no_such_topic", JSON.stringify(order("x")));
    expect(answer.status).toBe(404);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.json.code).toBeTruthy();
  });

  test("wrong key, no key, another scheme", async () => {
    for (const key of ["wrong", "", null]) {
      const answer = await at.post("orders", JSON.stringify(order("x")), { key });
      expect(answer.status).toBe(401);
      expect(answer.json.status).toBe(401);
    }
    const basic = await at.post("orders", "[]", { key: null, headers: { authorization: "Basic bG9jYWw6" } });
    expect(basic.status).toBe(401);
  });

  test("malformed JSON is 400 and one dead letter", async () => {
    const answer = await at.post("orders", '{"event_id": "a", ');
    expect(answer.status).toBe(400);
    expect(answer.json.code).toBe("MALFORMED_PAYLOAD");
    refused++;
  });

  test("one malformed NDJSON line among good ones: the good ones are stored, the bad one is a result", async () => {
    const lines = [JSON.stringify(order("nd-1")), '{"event_id": "nd-2", "order', JSON.stringify(order("nd-3"))];
    const answer = await at.post("orders", `${lines.join("\n")}\n`, { type: "application/x-ndjson" });
    expect(answer.status).toBe(207);
    expect(answer.json).toMatchObject({ accepted: 2, rejected: 1 });
    expect(answer.json.results).toHaveLength(1);
    expect(answer.json.results[0]).toMatchObject({ index: 1, status: "rejected" });
    expect(answer.json.results[0].errors[0].error_type).toBe("MALFORMED_PAYLOAD");
    accepted.push("nd-1", "nd-3");
    refused++;
  });

  test("a body over the limit is 413, whether it says its length or not", async () => {
    const large = new Uint8Array(21_500_000).fill(0x20);
    const answer = await at.post("orders", large);
    expect(answer.status).toBe(413);
    const chunked = request(`${at.platform.url}/v1/topics/orders/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${at.platform.apiKey}`, "content-type": "application/json" },
    });
    chunked.write(large.subarray(0, 5_000_000));
    chunked.end(large.subarray(5_000_000));
    const [streamed]: unknown[] = await once(chunked, "response");
    expect(streamed).toMatchObject({ statusCode: 413 });
    chunked.destroy();
  });

  test("an event that is not an object", async () => {
    const answer = await at.post("orders", JSON.stringify([1, "text", null, [], order("obj-1")]));
    expect(answer.status).toBe(207);
    expect(answer.json).toMatchObject({ accepted: 1, rejected: 4 });
    accepted.push("obj-1");
    refused += 4;
  });

  test("an event with 200 errors names fifty and says so", async () => {
    const items = Array.from({ length: 200 }, () => ({ sku: "s", name: "n", quantity: "two", unit_price: 1 }));
    const result = await rejectedOne("orders", order("many", { items }), "TYPE_MISMATCH");
    expect(result.errors).toHaveLength(50);
    expect(JSON.stringify(result.errors.at(-1))).toMatch(/15[01] more|more/);
  });

  test("duplicate keys: the last wins", async () => {
    const text = JSON.stringify(weather("dup-key")).replace('"city":', '"city":"Lund","city":');
    const answer = await at.post("weather", text);
    expect(answer.status).toBe(202);
    accepted.push("dup-key");
  });

  test("nesting of 10,000", async () => {
    const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
    const text = JSON.stringify(order("deep")).replace(/\}$/, `,"deep":${deep}}`);
    await rejectedOne("orders", text, "MALFORMED_PAYLOAD");
    const bare = await at.post("orders", deep);
    expect([400, 422]).toContain(bare.status);
    refused++;
  });

  test("lone surrogates are INVALID_FORMAT, pairs are text", async () => {
    await rejectedOne(
      "weather",
      JSON.stringify(weather("sur")).replace('"Malmö"', '"\\ud83d"'),
      "INVALID_FORMAT",
      "/city",
    );
    const answer = await at.post("weather", JSON.stringify(weather("pair")).replace('"Malmö"', '"\\ud83c\\udf27"'));
    expect(answer.status).toBe(202);
    accepted.push("pair");
  });

  test("numbers beyond int64 and beyond a double's exact range are refused or kept, never altered", async () => {
    const click = {
      event_id: "n",
      session_id: "s",
      event_timestamp: new Date().toISOString(),
      event_type: "page_view",
      page: "/",
      device: "ios",
    };
    for (const number of ["9223372036854775808", "9007199254740993", "1e400"]) {
      await rejectedOne(
        "clickstream",
        JSON.stringify({ ...click, duration_ms: 0 }).replace('"duration_ms":0', `"duration_ms":${number}`),
        "VALUE_OUT_OF_RANGE",
        "/duration_ms",
      );
    }
    await rejectedOne(
      "orders",
      JSON.stringify(order("dec")).replace('"amount":20.5', '"amount":20.505'),
      "TYPE_MISMATCH",
      "/amount",
    );
    const kept = await at.post("weather", JSON.stringify(weather("big")).replace(/\}$/, ',"serial":9007199254740993}'));
    expect(kept.status).toBe(202);
    accepted.push("big");
  });

  test("__proto__, constructor and hasOwnProperty as fields are kept as unknown fields", async () => {
    const text = JSON.stringify(weather("proto")).replace(
      /\}$/,
      ',"__proto__":{"polluted":true},"constructor":1,"hasOwnProperty":null}',
    );
    const answer = await at.post("weather", text);
    expect(answer.status).toBe(202);
    accepted.push("proto");
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("an empty array and an empty body are 400", async () => {
    expect((await at.post("orders", "[]")).status).toBe(400);
    expect((await at.post("orders", "")).status).toBe(400);
  });

  test("invalid UTF-8", async () => {
    const good = new TextEncoder().encode(`${JSON.stringify(order("utf-1"))}\n`);
    const bad = Uint8Array.from([...good.subarray(0, 20), 0xff, 0xfe, ...good.subarray(20)]);
    const body = new Uint8Array([...good, ...bad]);
    const answer = await at.post("orders", body, { type: "application/x-ndjson" });
    expect(answer.status).toBe(207);
    expect(answer.json).toMatchObject({ accepted: 1, rejected: 1 });
    accepted.push("utf-1");
    refused++;
  });

  test("content types and encodings that are not spoken", async () => {
    expect((await at.post("orders", "a,b", { type: "text/csv" })).status).toBe(415);
    expect((await at.post("orders", "[]", { headers: { "content-encoding": "br" } })).status).toBe(415);
  });

  test("after all that: the Worker stands, every accepted event is in bronze, every refused one in the dead letters", async () => {
    expect((await at.get("/healthz")).status).toBe(200);
    await at.until("all events in bronze", async () => {
      const rows = (await bronzeRows(at.platform, "orders")) + (await bronzeRows(at.platform, "weather"));
      return rows >= accepted.length && (await bronzeRows(at.platform, "dead_letters")) >= refused;
    });
    const rows = await at.rows(
      "SELECT event_id FROM bronze_orders UNION ALL SELECT event_id FROM bronze_weather UNION ALL SELECT event_id FROM bronze_clickstream",
    );
    expect(rows.map((row) => row["event_id"]).sort()).toEqual([...accepted].sort());
    const kept = await at.rows(
      "SELECT city, _extra FROM bronze_weather WHERE event_id IN ('big', 'proto', 'dup-key') ORDER BY event_id",
    );
    expect(kept[0]?.["_extra"]).toContain("9007199254740993");
    expect(kept[1]?.["city"]).toBe("Malmö");
    expect(kept[2]?.["_extra"]).toContain("__proto__");
    const [letters] = await at.rows(
      "SELECT count(*) AS n, count(*) FILTER (WHERE payload IS NULL AND payload_ref IS NULL) AS empty FROM bronze_dead_letters",
    );
    expect(letters).toMatchObject({ n: String(refused), empty: "0" });
    expect(at.errors).toEqual([]);
  });
});
