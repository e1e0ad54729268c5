/** Events over a bound are refused alone, before they are parsed: with a reason, a dead letter, and neighbours that are accepted. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { answer, createHarness, deadLetters, errorTypes, order } from "../harness.ts";

const ORDERS = "/v1/topics/orders/events";
const NDJSON = { "content-type": "application/x-ndjson" };
const BATCH = { "content-type": "application/cloudevents-batch+json" };

/** An order with one member more, given as JSON. */
function withMember(id: string, member: string): string {
  return JSON.stringify(order(id)).replace(/}$/, `,${member}}`);
}

const items = (item: string, count: number) => `"zz":[${`${item},`.repeat(count)}${item}]`;
const HOSTILE: readonly (readonly [name: string, member: string, errorType: string])[] = [
  ["300,000 empty objects", items("{}", 300_000), "EVENT_TOO_LARGE"],
  ["150,000 empty arrays", items("[]", 150_000), "EVENT_TOO_LARGE"],
  ["a value of 3 MB", `"zz":"${"x".repeat(3_000_000)}"`, "EVENT_TOO_LARGE"],
  ["300,000 levels", `"zz":${"[".repeat(300_000)}${"]".repeat(300_000)}`, "MALFORMED_PAYLOAD"],
  ["60,000 levels", `"zz":${'{"a":'.repeat(60_000)}1${"}".repeat(60_000)}`, "MALFORMED_PAYLOAD"],
  ["a number of 8,000 digits", `"zz":${"7".repeat(8_000)}`, "MALFORMED_PAYLOAD"],
  ["a number of 900,000 digits", `"zz":${"7".repeat(900_000)}`, "MALFORMED_PAYLOAD"],
  ["a number of 3,000,000 digits", `"zz":1.${"7".repeat(3_000_000)}e5`, "EVENT_TOO_LARGE"],
  ["an exponent of 500,000 digits", `"zz":1e${"0".repeat(500_000)}`, "MALFORMED_PAYLOAD"],
  ["a key of 500,000 characters", `"${"k".repeat(500_000)}":1`, "EVENT_TOO_LARGE"],
];

function cloudEvent(id: string, data: string): string {
  return `{"specversion":"1.0","id":"${id}","source":"/s","type":"t","data":${data}}`;
}

describe.each(HOSTILE)("an event with %s", (_name, member, errorType) => {
  const [before, hostile, after] = [JSON.stringify(order("a")), withMember("b", member), JSON.stringify(order("c"))];

  it.each([
    ["an array", `[${before}, ${hostile},\n${after}]`, {}],
    ["an array that ends with it", `[${before},${after},${hostile}]`, {}],
    ["an array that it begins", `[${hostile},${before},${after}]`, {}],
    ["lines", `${before}\n${hostile}\r\n${after}`, NDJSON],
    ["CloudEvents", `[${cloudEvent("a", before)},${cloudEvent("b", hostile)},${cloudEvent("c", after)}]`, BATCH],
  ])("in %s", async (_body, body, headers) => {
    const harness = createHarness();
    const response = await harness.post(ORDERS, body, headers);
    const verdict = await answer(response);
    expect([response.status, verdict.accepted, verdict.rejected]).toEqual([207, 2, 1]);
    expect(Object.values(errorTypes(verdict))).toEqual([errorType]);
    expect(deadLetters(harness)).toHaveLength(1);
    expect(JSON.stringify(verdict).length).toBeLessThan(3_000);
  });

  it("alone", async () => {
    const harness = createHarness();
    const response = await harness.post(ORDERS, hostile);
    expect([response.status, Object.values(errorTypes(await answer(response)))]).toEqual([422, [errorType]]);
    expect(deadLetters(harness)).toHaveLength(1);
  });

  it("as data of a CloudEvent, in binary mode and in base64", async () => {
    const harness = createHarness();
    const headers = { "ce-specversion": "1.0", "ce-id": "b", "ce-source": "/s", "ce-type": "t" };
    const binary = await answer(await harness.post(ORDERS, hostile, headers));
    expect(Object.values(errorTypes(binary))).toEqual([errorType]);
    const base64 = cloudEvent("b", "0").replace(
      '"data":0',
      `"data_base64":"${Buffer.from(hostile).toString("base64")}"`,
    );
    const structured = { "content-type": "application/cloudevents+json" };
    const verdict = await answer(await harness.post(ORDERS, base64, structured));
    expect(verdict.rejected).toBe(1);
  });
});

it("a few kilobytes of gzip that stand for megabytes of brackets or of empty objects", async () => {
  const harness = createHarness();
  const gzip = { "content-encoding": "gzip" };
  const deep = await harness.post(ORDERS, gzipSync(`${"[".repeat(5_000_000)}${"]".repeat(5_000_000)}`), gzip);
  // The array's one element.
  expect([deep.status, errorTypes(await answer(deep))]).toEqual([422, { 0: "EVENT_TOO_LARGE" }]);
  const empties = gzipSync(withMember("b", items("{}", 3_000_000)));
  const wide = await harness.post(ORDERS, empties, gzip);
  expect([wide.status, errorTypes(await answer(wide))]).toEqual([422, { 0: "EVENT_TOO_LARGE" }]);
  const open = await harness.post(ORDERS, "[".repeat(4_000_000));
  expect(open.status).toBe(400);
});

it("many events that are each below the bounds are judged as ever, however they begin", async () => {
  const harness = createHarness();
  const large = Array.from({ length: 30 }, (_, index) => {
    const event = order(`e-${index}`, { note: "n".repeat(60_000) });
    return JSON.stringify(index % 2 === 0 ? event : Object.fromEntries(Object.entries(event).reverse()));
  });
  const response = await harness.post(ORDERS, `[${large.join(" , ")}]`);
  expect([response.status, (await answer(response)).accepted]).toEqual([202, 30]);
});

it("a refused event of personal data over a bound is sealed as a whole, unparsed", async () => {
  const harness = createHarness();
  const user = `{"event_id":"u","email":"someone@example.com",${items("{}", 300_000)}}`;
  const response = await harness.post("/v1/topics/users/events", user);
  expect([response.status, errorTypes(await answer(response))]).toEqual([422, { 0: "EVENT_TOO_LARGE" }]);
  const [letter] = deadLetters(harness);
  expect(letter?.["payload_encoding"]).toBe("aes-gcm");
  expect(JSON.stringify(letter)).not.toContain("someone@");
});
