import { describe, expect, test } from "vitest";
import { concealedDetail } from "../../../../gateway/masking/detail.ts";
import { readMaskingKeys } from "../../../../gateway/masking/keyring.ts";
import { unseal } from "../../../../gateway/masking/masker.ts";
import { addKey, answer, bearer, createHarness, deadLetters, type HarnessOptions, order } from "../harness.ts";

const URL = "/v1/topics/users/events";
const SECRET = "Zq7-in-the-clear";

function user(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: "cus_00042@1",
    user_id: "cus_00042",
    event_timestamp: "2026-11-21T11:59:00.000Z",
    status: "active",
    tier: "basic",
    email: "Ada@Example.com",
    phone: "+4612345678",
    address: `1 ${SECRET} Street`,
    country: "SE",
    signed_up_on: "2024-02-29",
    marketing_consent: true,
    updated_at: "2026-11-21T11:58:00.000Z",
    ...changes,
  };
}

const ring = (current: number, ...numbers: number[]) =>
  JSON.stringify({
    current,
    keys: Object.fromEntries(numbers.map((number) => [number, Buffer.alloc(32, number).toString("base64")])),
  });
const first = { MASKING_KEYS: ring(1, 1), PAYLOAD_KEYS: ring(1, 1) };
const rotated = { MASKING_KEYS: ring(2, 1, 2), PAYLOAD_KEYS: ring(2, 1, 2) };

async function storedUser(options: HarnessOptions, changes: Readonly<Record<string, unknown>> = {}) {
  const harness = createHarness(options);
  const response = await harness.post(URL, user(changes));
  expect(response.status).toBe(202);
  const [envelope] = harness.sent.flatMap(({ envelopes }) => envelopes);
  const event: Record<string, unknown> = JSON.parse(JSON.stringify(envelope?.event));
  return { event, extra: envelope?.extra ?? null };
}

describe("users at the front door", () => {
  test("are stored masked, with equal values equal and unknown fields sealed", async () => {
    const { event, extra } = await storedUser({ secrets: first }, { birthday: "1815-12-10" });
    expect(event).toMatchObject({
      user_id: "cus_00042",
      email: expect.stringMatching(/^sluice:email:v1:[\w-]{22}@example\.com$/),
      phone: expect.stringMatching(/^sluice:hmac:v1:[\w-]{22}$/),
      address: "sluice:redact:v1",
    });
    expect((await storedUser({ secrets: first })).event).toMatchObject({
      email: event["email"],
      phone: event["phone"],
    });
    const keys = readMaskingKeys(first, false);
    if (!keys.ok || extra === null) throw new Error("nothing to open");
    expect(Buffer.from(unseal("users", JSON.parse(extra), keys.payload)).toString()).toBe('{"birthday":"1815-12-10"}');
  });

  test("a value that looks masked is judged and masked as any other", async () => {
    const { event } = await storedUser({ secrets: first }, { address: "sluice:redact:v1" });
    expect(event["address"]).toBe("sluice:redact:v1");
    const once = (await storedUser({ secrets: first }, { email: "x@example.com" })).event["email"];
    const harness = createHarness({ secrets: first });
    const { results } = await answer(await harness.post(URL, user({ phone: `sluice:hmac:v1:${"A".repeat(22)}` })));
    expect(results[0]?.errors[0]).toMatchObject({ error_type: "INVALID_FORMAT", pointer: "/phone" });
    const twice = (await storedUser({ secrets: first }, { email: once })).event["email"];
    expect(twice).not.toBe(once);
  });

  test("after a rotation new values carry the new key's number", async () => {
    const before = (await storedUser({ secrets: first })).event;
    const after = (await storedUser({ secrets: rotated })).event;
    expect(before["phone"]).toMatch(/^sluice:hmac:v1:/);
    expect(after["phone"]).toMatch(/^sluice:hmac:v2:/);
  });

  test("errors name the place and the rule, never the value", async () => {
    const harness = createHarness();
    const wrong = user({ phone: SECRET, email: `${SECRET}@`, address: [SECRET], city: 1 });
    const body = await answer(await harness.post(URL, wrong));
    expect(body.results[0]?.errors.map(({ pointer, detail }) => [pointer, detail])).toEqual([
      ["/address", "expected a string, got a masked value (array)"],
      ["/email", expect.stringContaining("got a masked value (string)")],
      ["/phone", "expected a match of ^\\+[0-9]{7,15}$, got a masked value (string)"],
    ]);
    const [letter] = deadLetters(harness);
    expect(letter).toMatchObject({ payload_encoding: "utf-8", event_id: "cus_00042@1" });
    const payload = JSON.parse(String(letter?.["payload"]));
    expect(payload).toMatchObject({
      user_id: "cus_00042",
      phone: expect.stringMatching(/^sluice:hmac:/),
      email: expect.stringMatching(/^sluice:hmac:/),
      address: expect.stringMatching(/^sluice:aes:v1:1:/),
      _extra: expect.stringMatching(/^sluice:aes:v1:1:/),
    });
    expect(payload).not.toHaveProperty("city");
    expect(JSON.stringify([harness.sent, harness.logs, body])).not.toContain(SECRET);
  });

  test.each([
    ["application/json", `[{"phone":"${SECRET}`, 400],
    ["application/json", `{"phone": ${SECRET}}`, 400],
    ["application/x-ndjson", `{"phone": ${SECRET}}\n`, 422],
    ["application/x-ndjson", `"${SECRET}"\n`, 422],
  ])("what cannot be read is sealed, and the answer does not quote it: %s %s", async (type, text, status) => {
    const harness = createHarness();
    const response = await harness.post(URL, text, { "content-type": type });
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain(SECRET);
    const [letter] = deadLetters(harness);
    expect(letter).toMatchObject({ payload_encoding: "aes-gcm", payload: expect.stringMatching(/^sluice:aes:v1:1:/) });
    const keys = readMaskingKeys({}, true);
    if (!keys.ok) throw new Error(keys.reason);
    expect(Buffer.from(unseal("users", String(letter?.["payload"]), keys.payload)).toString()).toBe(text.trimEnd());
    expect(JSON.stringify([harness.sent, harness.logs])).not.toContain(SECRET);
  });

  test("a payload too large for a message goes to the lake sealed or masked", async () => {
    const harness = createHarness();
    const large = { note: SECRET.repeat(5_000) };
    await harness.post(URL, user({ ...large, phone: "0" }));
    await harness.post(URL, `[${JSON.stringify(large)}`);
    const letters = deadLetters(harness);
    expect(letters.map((letter) => letter["payload_encoding"])).toEqual(["utf-8", "aes-gcm"]);
    expect(harness.objects.size).toBe(2);
    for (const bytes of harness.objects.values()) expect(Buffer.from(bytes).toString()).not.toContain(SECRET);
  });

  test("a deployment without keys answers 503 with what to do, and takes other topics", async () => {
    const harness = createHarness({ environment: "production", secrets: { MASKING_KEYS: ring(1, 1) } });
    addKey(harness.db, "deployed", ["*:write"], null, "production");
    const headers = { authorization: bearer("deployed", "production") };
    const response = await harness.post(URL, user(), headers);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).not.toBeNull();
    expect(await response.json()).toMatchObject({
      code: "MASKING_KEYS_UNAVAILABLE",
      detail: expect.stringContaining("the secret PAYLOAD_KEYS is not set"),
      remedy: expect.stringContaining("docs/masking.md"),
    });
    expect((await harness.post(`${URL}?dry_run=true`, user(), headers)).status).toBe(503);
    expect(harness.sent).toEqual([]);
    expect((await harness.post("/v1/topics/orders/events", order("e"), headers)).status).toBe(202);
    expect(JSON.stringify(harness.logs)).toContain("MASKING_KEYS_UNAVAILABLE");
  });
});

describe("a reader's complaint", () => {
  test.each([
    [`the line is not JSON: Unexpected token 'Z', "${SECRET}" is not valid JSON`, "the line is not JSON"],
    [
      "the body is not JSON: Expected ',' in JSON at position 15 (line 1 column 16)",
      "the body is not JSON at position 15",
    ],
    [`a CloudEvent of specversion "1.0" is expected, got ${SECRET}`, "a CloudEvent of specversion"],
    ["the line is not UTF-8", "the line is not UTF-8"],
  ])("keeps what is ours: %s", (detail, ours) => {
    const shown = concealedDetail(detail);
    expect(shown.startsWith(`${ours} (`)).toBe(true);
    expect(shown).not.toContain(SECRET);
  });
});

test("an Idempotency-Key holds across a rotation of the masking keys, and still for one body only", async () => {
  let secrets = first;
  const options: HarnessOptions = {
    get secrets() {
      return secrets;
    },
  };
  const harness = createHarness(options);
  const post = (body: unknown) => harness.post(URL, body, { "idempotency-key": "k1" });
  const before = await post(user());
  const sent = harness.sent.length;
  secrets = rotated;
  const again = await post(user());
  expect([before.status, again.status, again.headers.get("idempotent-replayed")]).toEqual([202, 202, "true"]);
  expect(await again.text()).toBe(await before.text());
  const other = await post(user({ tier: "gold" }));
  expect([other.status, (await answer(other)).code]).toEqual([409, "IDEMPOTENCY_KEY_REUSED"]);
  expect(harness.sent).toHaveLength(sent);
});
