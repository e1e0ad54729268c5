/** Every alert event is posted in order, again only where the answer is not known, and the address stays a secret. */
import { beforeEach, describe, expect, test } from "vitest";
import { alertDuty } from "../../../../scheduled/alerts/duty.ts";
import type { Condition } from "../../../../scheduled/conditions/condition.ts";
import type { PipelineAlert } from "../../../../scheduled/platform-events/pipeline-alert.ts";
import { outcomeOf } from "../../../../scheduled/webhook/answer.ts";
import { deliverAlerts, type WebhookDeps } from "../../../../scheduled/webhook/deliver.ts";
import { slackMessage } from "../../../../scheduled/webhook/slack-message.ts";
import { FaultyD1 } from "../../../oracle/faulty-d1.ts";
import { createReceiver } from "../platform-events/receiver.ts";

const URL_WITH_SECRET = "https://hooks.example/services/T0/B0/very-secret";
const START = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;

type Reply = Response | Error;

let db: FaultyD1;
let now: number;
let holding: Condition[];
let replies: Reply[];
let posted: string[];

beforeEach(() => {
  db = new FaultyD1();
  now = START;
  holding = [];
  replies = [];
  posted = [];
});

const condition = (key: string): Condition => ({
  key,
  kind: "freshness",
  severity: "warning",
  message: `about ${key}`,
});

async function look(): Promise<void> {
  const sources = [{ name: "s", find: async () => holding }];
  await alertDuty({ ...createReceiver(), db: db.binding, sources }, now);
}

async function deliver(more: Partial<WebhookDeps> = {}) {
  return await deliverAlerts(
    {
      db: db.binding,
      environment: "production",
      url: URL_WITH_SECRET,
      async fetch(url, init) {
        expect(url).toBe(URL_WITH_SECRET);
        const { text }: { text: string } = JSON.parse(String(init.body));
        posted.push(text);
        const reply = replies.shift() ?? new Response("ok");
        if (reply instanceof Error) throw reply;
        return reply;
      },
      ...more,
    },
    now,
  );
}
const states = () => db.rows<{ post_state: string }>("SELECT post_state FROM alert_events ORDER BY id");

test("firing, then resolved: one post each, however often the tick comes", async () => {
  holding = [condition("a")];
  await look();
  expect(await deliver()).toEqual({ posted: 1, refused: 0, expired: 0, skipped: 0 });
  await look();
  await deliver();
  holding = [];
  await look();
  await deliver();
  await deliver();
  expect(posted).toEqual([
    "⚠️ Firing: freshness (warning, production): about a",
    "✅ Resolved: freshness (warning, production): about a",
  ]);
});

test.each<[string, () => Reply]>([
  ["a 500", () => new Response("no", { status: 500 })],
  ["a 429", () => new Response("slow down", { status: 429, headers: { "retry-after": "30" } })],
  ["no answer", () => new Error(`cannot reach ${URL_WITH_SECRET}`)],
])("%s: the tick ends, what follows waits behind it, and a later tick posts both in order", async (_, reply) => {
  holding = [condition("a")];
  await look();
  holding = [];
  await look();
  replies = [reply()];
  const report = await deliver();
  expect(report).toMatchObject({ posted: 0 });
  expect(JSON.stringify(report)).not.toContain("secret");
  expect(await deliver()).toMatchObject({ posted: 0 });
  expect(posted).toHaveLength(1);
  now += MINUTE;
  expect(await deliver()).toMatchObject({ posted: 2 });
  expect(posted.map((text) => text.includes("Resolved"))).toEqual([false, false, true]);
});

test("a message that is refused is let go, and the next is posted", async () => {
  holding = [condition("a"), condition("b")];
  await look();
  replies = [new Response("invalid_payload", { status: 400 })];
  expect(await deliver()).toMatchObject({ posted: 1, refused: 1, status: 400 });
  expect(states()).toEqual([{ post_state: "refused" }, { post_state: "posted" }]);
});

test("two ticks at once post once; a crash after the post repeats it when the claim is over", async () => {
  holding = [condition("a")];
  await look();
  await Promise.all([deliver(), deliver()]);
  expect(posted).toHaveLength(1);

  holding = [];
  await look();
  // The post is made, and the write that would say so fails.
  db.faults.push(undefined, undefined, "before");
  await expect(deliver()).rejects.toThrow("D1_ERROR");
  expect(posted).toHaveLength(2);
  await deliver();
  expect(posted).toHaveLength(2);
  now += 2 * MINUTE;
  await deliver();
  expect(posted).toHaveLength(3);
});

test("no webhook: skipped, counted, and never posted later; a wrong address posts nothing", async () => {
  holding = [condition("a"), condition("b")];
  await look();
  expect(await deliver({ url: "http://hooks.example/very-secret" })).toEqual({
    posted: 0,
    refused: 0,
    expired: 0,
    skipped: 0,
    problem: "ALERT_WEBHOOK_URL is not an https address; alerts wait",
  });
  expect(await deliver({ url: undefined })).toMatchObject({ skipped: 2 });
  expect(await deliver()).toMatchObject({ posted: 0 });
  expect(posted).toEqual([]);
});

test("after a day of failures an alert expires; after a week what ended is forgotten", async () => {
  holding = [condition("a")];
  await look();
  replies = [new Response("no", { status: 503 })];
  await deliver();
  now += 25 * 60 * MINUTE;
  expect(await deliver()).toMatchObject({ expired: 1 });
  now += 7 * 24 * 60 * MINUTE;
  holding = [];
  await look();
  expect(db.rows("SELECT event ->> 'state' AS state FROM alert_events")).toEqual([{ state: "resolved" }]);
});

describe("the message", () => {
  const alert: PipelineAlert = {
    event_id: "e",
    alert_id: "k",
    event_timestamp: "2026-11-21T12:00:00.000Z",
    kind: "freshness",
    severity: "critical",
    state: "firing",
    message: "<!channel> a & b",
  };

  test("is text and blocks, in which nothing becomes a mention", () => {
    const message = slackMessage(alert, "staging");
    expect(message.text).toBe("🚨 Firing: freshness (critical, staging): &lt;!channel&gt; a &amp; b");
    expect(message.blocks).toMatchObject([
      { type: "section", text: { type: "mrkdwn" } },
      { type: "context", elements: [{ type: "mrkdwn" }] },
    ]);
  });

  test("keeps to Slack's lengths, whatever the alert says", () => {
    const message = JSON.stringify(slackMessage({ ...alert, message: "<😀".repeat(1_024) }, "production"));
    const texts = [...message.matchAll(/"text":"([^"]*)"/g)].map(([, text]) => text ?? "");
    expect(texts).toHaveLength(3);
    for (const text of texts) {
      expect(text.length).toBeLessThanOrEqual(3_000);
      expect(text).not.toMatch(/&(?!amp;|lt;|gt;)/);
      expect(text.isWellFormed()).toBe(true);
    }
  });
});

test.each([
  [200, null, 1, { kind: "posted" }],
  [204, null, 1, { kind: "posted" }],
  [302, null, 1, { kind: "refused" }],
  [404, null, 1, { kind: "refused" }],
  [408, null, 1, { kind: "retry", delayMs: MINUTE }],
  [429, "300", 1, { kind: "retry", delayMs: 5 * MINUTE }],
  [429, "999999", 1, { kind: "retry", delayMs: 60 * MINUTE }],
  [503, "Sat, 21 Nov 2026 12:00:00 GMT", 3, { kind: "retry", delayMs: 4 * MINUTE }],
  [null, null, 30, { kind: "retry", delayMs: 60 * MINUTE }],
])("an answer of %s with Retry-After %s at attempt %i", (status, retryAfter, attempts, outcome) => {
  expect(outcomeOf(status, retryAfter, attempts)).toEqual(outcome);
});
