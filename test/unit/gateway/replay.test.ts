import { beforeEach, describe, expect, test } from "vitest";
import { addKey, bearer, createHarness, deadLetters, type Harness, order, reading } from "./harness.ts";
import { land } from "./land.ts";

interface Result {
  readonly dlq_id: string;
  readonly status: string;
  readonly reason?: string;
  readonly dead_letter?: string;
  readonly keyed_by_dlq_id?: boolean;
  readonly errors?: readonly { readonly error_type: string }[];
}
interface Answer {
  readonly accepted: number;
  readonly rejected: number;
  readonly unreplayable: number;
  readonly not_found: number;
  readonly retry: number;
  readonly results: readonly Result[];
  readonly next_cursor: string | null;
}

let harness: Harness;
beforeEach(() => {
  harness = createHarness();
});

async function replay(body: object, key = "local-dev-key"): Promise<Answer> {
  const response = await harness.post("/v1/dead-letters/replay", body, { authorization: bearer(key) });
  const text = await response.text();
  expect(`${response.status} ${text}`).toMatch(/^200 /);
  const answer: Answer = JSON.parse(text);
  return answer;
}

/** Sends events of a topic that are refused; the dead letters, landed. */
async function refuse(topic: string, body: unknown, headers = {}): Promise<Record<string, unknown>[]> {
  const response = await harness.post(`/v1/topics/${topic}/events`, body, headers);
  expect(response.status).toBe(422);
  const letters = deadLetters(harness);
  await land(harness);
  return letters;
}

const withoutId = (event: Record<string, unknown>) => {
  const { event_id: _, ...rest } = event;
  return rest;
};

function user(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: "u-1",
    user_id: "cus_00042",
    event_timestamp: "2026-11-21T11:59:00.000Z",
    status: "active",
    tier: "basic",
    email: "Ada@Example.com",
    phone: "+4612345678",
    address: "1 Secret Street",
    country: "SE",
    signed_up_on: "2024-02-29",
    marketing_consent: true,
    updated_at: "2026-11-21T11:58:00.000Z",
    ...changes,
  };
}

describe("POST /v1/dead-letters/replay", () => {
  test("is a dry run unless told otherwise", async () => {
    const [letter] = await refuse("orders", [withoutId(order(""))]);
    const answer = await replay({ dlq_ids: [letter?.["dlq_id"], "no-such"] });
    expect(answer).toMatchObject({ accepted: 1, not_found: 1, rejected: 0, retry: 0 });
    expect(answer.results).toEqual([
      expect.objectContaining({ dlq_id: letter?.["dlq_id"], status: "accepted", keyed_by_dlq_id: true }),
      { dlq_id: "no-such", status: "not_found" },
    ]);
    expect(harness.sent).toEqual([]);
  });

  test("an event without an id is keyed by its dead letter's; it goes under its first reception, and says what it is", async () => {
    const [letter] = await refuse("orders", [order("good-but", { amount: "x" }), withoutId(order(""))].slice(1));
    // Long past the window of event times, as seen from now.
    harness.clock.advance(5 * 86_400_000);
    const answer = await replay({ topic: "orders", dry_run: false });
    expect(answer).toMatchObject({ accepted: 1, next_cursor: null });
    const [message] = harness.sent;
    expect(message?.header).toMatchObject({
      topic: "orders",
      received: 1_795_262_400_000_000,
      request_id: letter?.["request_id"],
      producer: letter?.["producer"],
      replay_of: [letter?.["dlq_id"]],
    });
    expect(message?.envelopes).toEqual([
      expect.objectContaining({ index: 0, event: expect.objectContaining({ event_id: letter?.["dlq_id"] }) }),
    ]);
  });

  test("a version named for the replay judges events that name none", async () => {
    const [letter] = await refuse("weather", [reading("w-1")], { "sluice-schema-version": "77" });
    const still = await replay({ dlq_ids: [letter?.["dlq_id"]] });
    expect(still.results[0]).toMatchObject({ status: "rejected", errors: [{ error_type: "UNKNOWN_SCHEMA" }] });
    expect(await replay({ dlq_ids: [letter?.["dlq_id"]], schema_version: 1 })).toMatchObject({ accepted: 1 });
  });

  test("what is refused again is a dead letter with one more attempt, the same each time", async () => {
    const [first] = await refuse("orders", [order("bad", { currency: "XXX" })]);
    const again = await replay({ dlq_ids: [first?.["dlq_id"]], dry_run: false });
    const [second] = deadLetters(harness);
    expect(again.results[0]).toMatchObject({ status: "rejected", dead_letter: second?.["dlq_id"] });
    expect(second).toEqual({ ...first, dlq_id: second?.["dlq_id"], attempts: 2, replay_of: first?.["dlq_id"] });
    // The ledger counted the refusal when the event was received.
    expect(harness.sent[0]?.header).toMatchObject({ topic: "dead_letters", slices: [{ count: 1, tally: {} }] });
    await land(harness);
    const repeated = await replay({ dlq_ids: [first?.["dlq_id"]], dry_run: false });
    expect(repeated.results[0]?.dead_letter).toBe(second?.["dlq_id"]);
    harness.sent.splice(0);
    await replay({ dlq_ids: [second?.["dlq_id"]], dry_run: false });
    expect(deadLetters(harness)[0]).toMatchObject({ attempts: 3, replay_of: first?.["dlq_id"] });
    harness.sent.splice(0);
    // A filter meets both attempts of the event and replays it once.
    expect(await replay({ topic: "orders" })).toMatchObject({ rejected: 1, results: [{ dlq_id: first?.["dlq_id"] }] });
  });

  test("bytes that are no event say why they cannot be replayed", async () => {
    const ndjson = { "content-type": "application/x-ndjson" };
    await refuse("orders", '{"event_id": "cut\n[1]\n', ndjson);
    const answer = await replay({ topic: "orders", dry_run: false });
    expect(answer.results.map(({ status, reason }) => [status, reason])).toEqual(
      expect.arrayContaining([
        ["unreplayable", expect.stringContaining("not JSON")],
        ["unreplayable", expect.stringContaining("no JSON object")],
      ]),
    );
    expect(harness.sent).toEqual([]);
  });

  test("a payload that lies apart is fetched; one that is gone says so", async () => {
    const note = "n".repeat(60_000);
    const [letter] = await refuse("orders", [{ ...withoutId(order("")), note }]);
    const key = String(letter?.["payload_ref"]);
    expect(await replay({ dlq_ids: [letter?.["dlq_id"]], dry_run: false })).toMatchObject({ accepted: 1 });
    expect(harness.sent[0]?.envelopes[0]?.extra).toBe(JSON.stringify({ note }));
    await harness.bucket.delete(key);
    const gone = await replay({ dlq_ids: [letter?.["dlq_id"]] });
    expect(gone.results[0]).toMatchObject({
      status: "unreplayable",
      reason: expect.stringContaining("not in the lake"),
    });
  });

  test("a queue that fails costs exactly its events: they are to be replayed again", async () => {
    await refuse("orders", [withoutId(order("")), order("bad", { currency: "XXX" })]);
    harness.failSends(0);
    const answer = await replay({ topic: "orders", dry_run: false });
    expect(answer.retry).toBe(1);
    expect(answer.accepted + answer.rejected).toBe(1);
    // The next message says which number was not sent: the ledger must not take it for a loss.
    const failed = harness.sent.some(({ topic }) => topic === "orders") ? "dead_letters" : "orders";
    harness.sent.splice(0);
    await harness.post("/v1/topics/orders/events", [order("next"), order("bad", { currency: "XXX" })]);
    const next = harness.sent.find(({ topic }) => topic === failed);
    const before = (next?.header.sequence ?? 0) - 1;
    expect(next?.header.unsent).toEqual([[before, before]]);
  });

  test("pages by its cursor, oldest first", async () => {
    for (let i = 0; i < 5; i++) {
      harness.clock.advance(1);
      await refuse("orders", [order(`bad-${i}`, { currency: "XXX" })]);
    }
    const sizes: number[] = [];
    let cursor: string | null = null;
    do {
      const answer: Answer = await replay({ topic: "orders", max: 2, ...(cursor === null ? {} : { cursor }) });
      sizes.push(answer.rejected);
      cursor = answer.next_cursor;
    } while (cursor !== null);
    expect(sizes).toEqual([2, 2, 1]);
  });

  test("needs read, and write or admin, on the topic; others' dead letters are not found", async () => {
    addKey(harness.db, "reader", ["orders:read"]);
    addKey(harness.db, "weather-admin", ["weather:read", "weather:admin"]);
    const [letter] = await refuse("orders", [withoutId(order(""))]);
    const denied = await harness.post(
      "/v1/dead-letters/replay",
      { topic: "orders" },
      { authorization: bearer("reader") },
    );
    expect(denied.status).toBe(403);
    expect(await replay({ dlq_ids: [letter?.["dlq_id"]] }, "weather-admin")).toMatchObject({
      not_found: 1,
      accepted: 0,
    });
  });
});

describe("replays of a topic with masked fields", () => {
  const sent = { nickname: "Countess", note: "sluice:redact:v1" };

  test("are stored as they would have been: masked once, unknown fields sealed, nothing shown", async () => {
    await harness.post("/v1/topics/users/events", [user()]);
    const [direct] = harness.sent.splice(0).flatMap(({ envelopes }) => envelopes);
    const [letter] = await refuse("users", [withoutId(user({ nickname: sent.nickname }))]);
    const response = await harness.post("/v1/dead-letters/replay", { topic: "users", dry_run: false });
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ accepted: 1 });
    expect(text).not.toMatch(/Countess|Secret|Ada/);
    const [replayed] = harness.sent.flatMap(({ envelopes }) => envelopes);
    expect(replayed?.event).toEqual({ ...Object(direct?.event), event_id: letter?.["dlq_id"] });
    expect(replayed?.extra).toMatch(/^"sluice:aes:v1:1:/);
    expect(JSON.stringify(harness.logs)).not.toMatch(/Countess|Secret|Ada/);
  });

  test("a value refused in the clear and masked since cannot be judged again, unless it is accepted as it is", async () => {
    const [letter] = await refuse("users", [user({ phone: "none of your business" })]);
    const answer = await replay({ dlq_ids: [letter?.["dlq_id"]] });
    expect(answer.results[0]).toMatchObject({ status: "unreplayable", reason: expect.stringContaining("/phone") });
    expect(await replay({ dlq_ids: [letter?.["dlq_id"]], accept_masked: true })).toMatchObject({ accepted: 1 });
  });

  test("a sealed value of the wrong shape is opened and refused anew, and still not shown", async () => {
    const [letter] = await refuse("users", [user({ address: { street: "1 Secret Street" } })]);
    const response = await harness.post("/v1/dead-letters/replay", { dlq_ids: [letter?.["dlq_id"]], dry_run: false });
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ rejected: 1, results: [{ errors: [{ error_type: "TYPE_MISMATCH" }] }] });
    expect(text).not.toContain("Secret");
    const [second] = deadLetters(harness);
    expect(second).toMatchObject({ payload: letter?.["payload"], attempts: 2 });
  });

  test("a producer's own text in the form of a masked value is never taken for one", async () => {
    const [letter] = await refuse("users", [withoutId(user({ note: sent.note }))]);
    const answer = await replay({ dlq_ids: [letter?.["dlq_id"]] });
    expect(answer.results[0]).toMatchObject({
      status: "unreplayable",
      reason: expect.stringContaining("form of a masked"),
    });
  });

  test("a payload sealed whole is opened by its key only", async () => {
    const ndjson = { "content-type": "application/x-ndjson" };
    await refuse("users", '{"email": "Ada@Example.com\n', ndjson);
    const answer = await replay({ topic: "users" });
    expect(answer.results[0]).toMatchObject({ status: "unreplayable", reason: expect.stringContaining("not JSON") });
  });
});
