import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { type SimulatedEvent, simulate } from "../../../producers/simulators/plan.ts";
import { SendError, type SendOptions, sendSimulated } from "../../../producers/simulators/send.ts";
import { contractCheck } from "./contract-check.ts";

const endMs = Date.parse("2026-11-21T12:00:00Z");
const events = (count: number): SimulatedEvent[] => [
  ...simulate({ seed: 5, events: count, startMs: endMs - 6 * 3_600_000, endMs }),
];

interface Call {
  readonly topic: string;
  readonly contentType: string;
  readonly authorization: string;
  readonly body: string;
  readonly lines: readonly string[];
}

type Reply = { status: number; body: unknown; headers?: Record<string, string> } | "hang up";

let stop: () => Promise<void> = async () => {};
afterEach(() => stop());

/** A gateway on a free port: `reply` sees each request, with the body's events as text. */
async function serve(reply: (call: Call, number: number) => Reply): Promise<{ baseUrl: string; calls: Call[] }> {
  const calls: Call[] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const contentType = request.headers["content-type"] ?? "";
    const [, topic = ""] = /^\/v1\/topics\/(\w+)\/events$/.exec(request.url ?? "") ?? [];
    const authorization = request.headers.authorization ?? "";
    const call = { topic, contentType, authorization, body, lines: linesOf(contentType, body) };
    calls.push(call);
    const answer = reply(call, calls.length);
    if (answer === "hang up") return void request.socket.destroy();
    response.writeHead(answer.status, answer.headers ?? {});
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stop = () => new Promise((resolve) => server.close(() => resolve()));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { baseUrl: `http://127.0.0.1:${address.port}`, calls };
}

function linesOf(contentType: string, body: string): string[] {
  if (contentType === "application/x-ndjson") return body.trimEnd().split("\n");
  const document: unknown = JSON.parse(body);
  return (Array.isArray(document) ? document : [document]).map((event) => JSON.stringify(event));
}

/** The verdicts of an honest gateway, save that the events at `retry` are not stored. */
function verdicts({ topic, lines }: Call, retry: readonly number[] = []): Reply {
  const check = contractCheck(topic);
  const results = lines.flatMap((line, index) => {
    if (retry.includes(index)) {
      return [{ index, event_id: null, status: "retry", errors: [{ error_type: "QUEUE_UNAVAILABLE", detail: "" }] }];
    }
    const errors = check
      .errorTypes(line, endMs)
      .map((type) => ({ error_type: type, pointer: "", rule: null, detail: "broken", contract_version: "1.0.0" }));
    return errors.length === 0 ? [] : [{ index, event_id: null, status: "rejected", errors }];
  });
  const rejected = results.length - retry.length;
  const accepted = lines.length - results.length;
  const status = results.length === 0 ? 202 : accepted + retry.length === 0 ? 422 : 207;
  return { status, body: { request_id: "r", topic, accepted, rejected, retry: retry.length, results } };
}

function send(baseUrl: string, sent: Iterable<SimulatedEvent>, options: Partial<SendOptions> = {}) {
  return sendSimulated({ baseUrl, apiKey: "key", events: sent, sleep: async () => {}, chance: () => 0, ...options });
}

describe("sendSimulated", () => {
  test("sends every event once, byte by byte, in all body forms, and finds no mismatch in an honest gateway", async () => {
    const { baseUrl, calls } = await serve((call) => verdicts(call));
    const sent = events(4_000);
    const report = await send(baseUrl, sent, { batchSize: 50 });
    const faults = sent.filter(({ label }) => label.kind === "fault").length;
    expect(report).toMatchObject({ sent: 4_000, accepted: 4_000 - faults, rejected: faults });
    expect(report).toMatchObject({ mismatchCount: 0, mismatches: [], retries: 0, requests: calls.length });
    expect(calls.flatMap((call) => call.lines).sort()).toEqual(sent.map((event) => event.line).sort());
    expect(Object.keys(report.rejections)).toHaveLength(10);
    for (const { expected, got } of Object.values(report.rejections)) expect(got).toBe(expected);
    const perTopic = Map.groupBy(sent, (event) => event.topic);
    for (const [topic, some] of perTopic) expect(report.topics[topic]?.sent).toBe(some.length);
    expect(calls.some((call) => call.body.startsWith("["))).toBe(true);
    expect(calls.some((call) => call.contentType === "application/json" && call.body.startsWith("{"))).toBe(true);
    for (const call of calls) {
      expect(call.lines.length).toBeLessThanOrEqual(50);
      expect(call.authorization).toBe("Bearer key");
    }
    expect(report.latencyMs?.p50).toBeGreaterThan(0);
    expect(report.latencyMs?.p99).toBeGreaterThanOrEqual(report.latencyMs?.p50 ?? Infinity);
  });

  test("sends again after 503, 429 and a lost connection, and only what was not stored after `retry`", async () => {
    const stored: string[] = [];
    const { baseUrl, calls } = await serve((call, number) => {
      if (number % 5 === 1) return { status: 503, body: {}, headers: { "Retry-After": "1" } };
      if (number % 5 === 2) return { status: 429, body: {}, headers: { "Retry-After": "2" } };
      if (number % 5 === 3) return "hang up";
      const retry = number % 5 === 4 && call.lines.length > 2 ? [0, 2] : [];
      stored.push(...call.lines.filter((_, index) => !retry.includes(index)));
      return verdicts(call, retry);
    });
    const sent = events(1_500);
    const waits: number[] = [];
    const report = await send(baseUrl, sent, {
      batchSize: 100,
      concurrency: 1,
      sleep: async (ms) => void waits.push(ms),
    });
    expect(stored.sort()).toEqual(sent.map((event) => event.line).sort());
    expect(report).toMatchObject({ sent: 1_500, mismatchCount: 0, requests: calls.length });
    expect(report.accepted + report.rejected).toBe(1_500);
    expect(report.retries).toBeGreaterThan(0);
    expect(waits.length).toBe(report.retries);
    expect(waits.filter((ms) => ms === 1_000).length).toBe(Math.ceil(calls.length / 5));
    expect(waits.filter((ms) => ms === 2_000).length).toBeGreaterThan(0);
  });

  test("lists where the verdict is not the label's", async () => {
    const { baseUrl } = await serve((call) => ({
      status: 202,
      body: { request_id: "r", topic: call.topic, accepted: call.lines.length, rejected: 0, retry: 0, results: [] },
    }));
    const sent = events(3_000);
    const faults = sent.filter(({ label }) => label.kind === "fault");
    const report = await send(baseUrl, sent);
    expect(report.mismatchCount).toBe(faults.length);
    expect(report.mismatches).toHaveLength(100);
    for (const { label, expected, got, excerpt } of report.mismatches) {
      expect(label).toMatchObject({ kind: "fault", expected });
      expect(got).toBe("accepted");
      expect(excerpt.length).toBeLessThanOrEqual(200);
    }
  });

  test("compares the first error's type, and tells what the gateway said", async () => {
    const errors = ["MISSING_FIELD", "TYPE_MISMATCH"].map((error_type) => ({ error_type, detail: "no amount" }));
    const { baseUrl } = await serve((call) => {
      const results = [{ index: 0, event_id: null, status: "rejected", errors }];
      return { status: 422, body: { request_id: "r", topic: call.topic, accepted: 0, rejected: 1, retry: 0, results } };
    });
    const [good] = events(20).filter(({ label }) => label.kind === "good");
    const report = await send(baseUrl, good === undefined ? [] : [good]);
    expect(report.rejections).toEqual({ MISSING_FIELD: { expected: 0, got: 1 } });
    expect(report.mismatches).toMatchObject([{ expected: "accepted", got: "MISSING_FIELD", detail: "no amount" }]);
  });

  test("gives up with the report so far when a request is refused as such", async () => {
    const { baseUrl, calls } = await serve((call, number) =>
      number === 1 ? verdicts(call) : { status: 401, body: { code: "KEY_UNKNOWN" } },
    );
    const failure = await send(baseUrl, events(1_000), { batchSize: 10, concurrency: 1 }).catch((error) => error);
    expect(failure).toBeInstanceOf(SendError);
    expect(failure).toMatchObject({ status: 401, report: { sent: 20 } });
    expect(failure.message).toContain("KEY_UNKNOWN");
    expect(calls).toHaveLength(2);
  });

  test("gives up after twelve tries without progress", async () => {
    const { baseUrl, calls } = await serve(() => ({ status: 503, body: {} }));
    const failure = await send(baseUrl, events(10), { concurrency: 1 }).catch((error) => error);
    expect(failure).toBeInstanceOf(SendError);
    expect(failure.status).toBe(503);
    expect(calls).toHaveLength(12);
  });

  test.each([
    ["is no answer", "hello"],
    ["does not add up", { request_id: "r", topic: "orders", accepted: 0, rejected: 0, retry: 0, results: [] }],
    [
      "names an event that was not sent",
      {
        request_id: "r",
        topic: "orders",
        accepted: 1,
        rejected: 0,
        retry: 1,
        results: [{ index: 9, status: "retry" }],
      },
    ],
  ])("fails on an answer that %s", async (_, body) => {
    const { baseUrl } = await serve(() => ({ status: 202, body }));
    await expect(send(baseUrl, events(1))).rejects.toThrow();
  });

  test("stops with the signal's reason, and does not read on", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const { baseUrl } = await serve((_, number) => {
      if (number === 6) controller.abort(reason);
      return { status: 503, body: {} };
    });
    let read = 0;
    function* counted() {
      for (const event of simulate({ seed: 1, events: 100_000, startMs: endMs, endMs })) {
        read += 1;
        yield event;
      }
    }
    const sending = sendSimulated({ baseUrl, apiKey: "key", events: counted(), signal: controller.signal });
    await expect(sending).rejects.toBe(reason);
    expect(read).toBeLessThan(10_000);
  });

  test("never has more requests under way than asked for, and tells its progress", async () => {
    let underWay = 0;
    let most = 0;
    const seen: number[] = [];
    const report = await send("http://gateway.test/", events(800), {
      batchSize: 20,
      concurrency: 3,
      onProgress: (progress) => seen.push(progress.accepted + progress.rejected),
      fetch: async (url, { body, headers }) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        expect(url).toMatch(/^http:\/\/gateway\.test\/v1\/topics\/\w+\/events$/);
        const contentType = headers["Content-Type"] ?? "";
        const topic = url.split("/").at(-2) ?? "";
        const reply = verdicts({ topic, contentType, authorization: "", body, lines: linesOf(contentType, body) });
        if (reply === "hang up") throw new Error("unreachable");
        return { status: reply.status, headers: new Headers(), text: async () => JSON.stringify(reply.body) };
      },
    });
    expect(most).toBe(3);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(800);
    expect(report.mismatchCount).toBe(0);
  });
});
