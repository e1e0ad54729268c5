/** A gateway that answers as the real one does, fails as told, and remembers what it took. */
import { gunzipSync } from "node:zlib";
import type { Fetch } from "../../../../producers/client/transport.ts";

export interface SentEvent {
  readonly event_id?: string;
  readonly [name: string]: unknown;
}

export interface FakeRequest {
  readonly url: string;
  readonly topic: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly events: readonly SentEvent[];
}

export type EventAnswer = "accepted" | "rejected" | "retry";

/** What a request comes to: a verdict per event, a refusal, or no answer at all, before or after the events were stored. */
export type FakeAnswer =
  | { readonly verdict: (event: SentEvent, index: number) => EventAnswer; readonly retryAfter?: string }
  | { readonly status: number; readonly code?: string; readonly retryAfter?: string; readonly text?: string }
  | { readonly lost: "before" | "after" };

export const ALL_ACCEPTED: FakeAnswer = { verdict: () => "accepted" };

export interface FakeGateway {
  readonly fetch: Fetch;
  readonly requests: FakeRequest[];
  /** Ids of accepted events in the order they were stored, copies included. */
  readonly stored: string[];
  /** The most requests that were under way at once. */
  peak(): number;
}

/** `answer` decides for the n-th request, counted from 0; each takes `latencyMs` on the (fake) clock. */
export function createFakeGateway(
  answer: (request: FakeRequest, index: number) => FakeAnswer,
  latencyMs = 10,
): FakeGateway {
  const requests: FakeRequest[] = [];
  const stored: string[] = [];
  let underWay = 0;
  let peak = 0;

  const fetch: Fetch = async (url, init) => {
    const bytes = init.headers["Content-Encoding"] === "gzip" ? gunzipSync(init.body) : Buffer.from(init.body);
    const body: string = bytes.toString("utf8");
    const lines = body.split("\n").filter((line) => line !== "");
    const topic = /\/v1\/topics\/([^/]+)\/events$/.exec(url)?.[1] ?? "";
    const request: FakeRequest = {
      url,
      topic,
      headers: init.headers,
      body,
      events: lines.map((line) => JSON.parse(line)),
    };
    const outcome = answer(request, requests.length);
    requests.push(request);
    peak = Math.max(peak, ++underWay);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, latencyMs);
      init.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(new Error("aborted"));
      });
    }).finally(() => underWay--);
    return respond(request, outcome);
  };

  function respond({ topic, events }: FakeRequest, outcome: FakeAnswer) {
    if ("lost" in outcome) {
      if (outcome.lost === "after") for (const event of events) stored.push(event.event_id ?? "");
      throw new TypeError("fetch failed", { cause: new Error("ECONNRESET") });
    }
    if ("status" in outcome) {
      const { status, code = "SOME_CODE", retryAfter, text } = outcome;
      return reply(status, text ?? JSON.stringify({ status, code, detail: "no" }), retryAfter);
    }
    const verdicts = events.map(outcome.verdict);
    const count = (status: EventAnswer) => verdicts.filter((verdict) => verdict === status).length;
    const results = verdicts.flatMap((status, index) =>
      status === "accepted"
        ? []
        : [{ index, event_id: events[index]?.event_id ?? null, status, errors: errorsOf(status) }],
    );
    events.forEach((event, index) => {
      if (verdicts[index] === "accepted") stored.push(event.event_id ?? "");
    });
    const status = count("accepted") === events.length ? 202 : count("rejected") === events.length ? 422 : 207;
    const counts = { accepted: count("accepted"), rejected: count("rejected"), retry: count("retry") };
    return reply(status, JSON.stringify({ request_id: "r", topic, ...counts, results }), outcome.retryAfter);
  }

  return { fetch, requests, stored, peak: () => peak };
}

function errorsOf(status: EventAnswer) {
  if (status !== "rejected") return [];
  return [
    { error_type: "MISSING_FIELD", pointer: "/x", rule: null, detail: "x is missing", contract_version: "1.0.0" },
  ];
}

function reply(status: number, text: string, retryAfter: string | undefined) {
  const headers = new Headers(retryAfter === undefined ? {} : { "Retry-After": retryAfter });
  return { status, headers, text: async () => text };
}
