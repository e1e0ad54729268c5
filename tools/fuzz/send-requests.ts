/** Sends fuzzed requests with some concurrency and holds every answer against what any answer must be. */
import { setTimeout as delay } from "node:timers/promises";
import { isJsonObject } from "../../schemas/event-residue.ts";
import { readMessageCounts } from "../local-platform/drain.ts";
import { leakIn } from "./canaries.ts";
import { FailureList } from "./failure-list.ts";
import { type FuzzRequest, type FuzzWorld, fuzzRequest } from "./fuzz-request.ts";
import type { PromisedRows } from "./promised-rows.ts";

export interface SendReport {
  readonly failures: FailureList;
  readonly statuses: Map<number, number>;
  readonly errorTypes: Map<string, number>;
}

export interface SendOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly world: FuzzWorld;
  /** Indexes to send, from `first`. */
  readonly first: number;
  readonly bodies: number;
  readonly concurrency: number;
  readonly promised: PromisedRows;
  readonly onProgress?: (done: number) => void;
}

const STATUSES: ReadonlySet<number> = new Set([202, 207, 400, 409, 413, 415, 422]);

/** Resolves when every request is answered. Never throws for an answer: what is wrong stands in `failures`. */
export async function sendRequests(options: SendOptions): Promise<SendReport> {
  const report: SendReport = {
    failures: new FailureList(),
    statuses: new Map(),
    errorTypes: new Map(),
  };
  const end = options.first + options.bodies;
  let next = options.first;
  const roomInQueues = backpressure(options.url);
  async function sender(): Promise<void> {
    while (next < end) {
      await roomInQueues();
      if (next >= end) return;
      const request = fuzzRequest(options.world, next++);
      try {
        await sendOne(request, options, report);
      } catch (error) {
        report.failures.add(request.index, String(error));
      }
      options.onProgress?.(next - options.first);
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, sender));
  return report;
}

/** Miniflare's queues hold a timer per message, of which it may have 10,000: past that a send fails. */
const MAX_QUEUED = 1_500;
const LOOK_EVERY = 250;

/** Resolves at once, except that every so many calls wait until the queues are short. */
function backpressure(url: string): () => Promise<void> {
  let calls = 0;
  let waiting: Promise<void> | undefined;
  async function untilShort(): Promise<void> {
    for (;;) {
      const counts = await readMessageCounts(url);
      if (counts !== undefined && counts.sent - counts.acknowledged <= MAX_QUEUED) return;
      await delay(50);
    }
  }
  return async () => {
    if (++calls % LOOK_EVERY === 0) waiting = untilShort();
    await waiting;
  };
}

async function sendOne(
  request: FuzzRequest,
  { url, apiKey, promised }: SendOptions,
  report: SendReport,
): Promise<void> {
  const fail = (what: string) => report.failures.add(request.index, `${request.topic}: ${what}`);
  const response = await posted(`${url}/v1/topics/${request.topic}/events${request.query}`, {
    method: "POST",
    headers: { ...request.headers, authorization: `Bearer ${apiKey}` },
    body: new Uint8Array(request.body),
  });
  const text = await response.text();
  const { status } = response;
  count(report.statuses, status);
  if (!STATUSES.has(status)) fail(`status ${status}: ${text.slice(0, 300)}`);
  const leak = leakIn(text) ?? leakIn(JSON.stringify([...response.headers]));
  if (leak !== undefined) fail(`the answer shows personal data: ${leak}`);
  const answer: unknown = JSON.parse(text);
  if (!isJsonObject(answer)) {
    fail(`the answer is no object: ${text.slice(0, 100)}`);
    return;
  }
  const requestId = String(answer["request_id"]);
  const { results } = answer;
  if (Array.isArray(results)) checkVerdicts(answer, results, status, request, promised, report.errorTypes, fail);
  else {
    count(report.errorTypes, String(answer["code"]));
    // Counted with the requests: not every code leaves a dead letter.
    if (answer["code"] === "MALFORMED_PAYLOAD" && !request.dryRun) promised.letter(requestId, 0);
  }
}

/**
 * workerd closes a connection whose body it did not read, and a request that is just then given the connection gets no answer:
 * it did not arrive, so it is sent again. Had it arrived, bronze would have its events twice, which `checkBronze` sees.
 */
async function posted(url: string, init: RequestInit): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetch(url, init);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
      const closed = cause !== undefined && "code" in cause && CLOSED.has(String(cause.code));
      if (!closed || attempt === 5) throw new Error(`no answer: ${String(cause ?? error)}`, { cause: error });
    }
  }
}
const CLOSED: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

function checkVerdicts(
  answer: Readonly<Record<string, unknown>>,
  results: readonly unknown[],
  status: number,
  request: FuzzRequest,
  promised: PromisedRows,
  errorTypes: Map<string, number>,
  fail: (what: string) => void,
): void {
  const requestId = String(answer["request_id"]);
  const counts = { accepted: 0, rejected: 0, retry: 0 };
  for (const result of results) {
    if (!isJsonObject(result)) {
      fail("a result is no object");
      continue;
    }
    const { index, event_id, errors } = result;
    if (result["status"] === "accepted") {
      counts.accepted++;
      if (!request.dryRun) promised.accepted(request.topic, requestId, index, event_id);
    } else if (result["status"] === "rejected") {
      counts.rejected++;
      const listed = Array.isArray(errors) ? errors.filter(isJsonObject) : [];
      if (listed.length === 0) fail(`event ${String(index)} is rejected without a reason`);
      for (const { error_type } of listed) count(errorTypes, String(error_type));
      if (!request.dryRun) promised.letter(requestId, index);
    } else counts.retry++;
  }
  if (counts.retry > 0) fail(`${counts.retry} events were not stored`);
  const { accepted, rejected, retry } = answer;
  if (JSON.stringify({ accepted, rejected, retry }) !== JSON.stringify(counts)) fail("the counts are not the results'");
  const expected = counts.rejected === 0 ? 202 : counts.accepted === 0 ? 422 : 207;
  if (status !== expected) fail(`status ${status} for ${JSON.stringify(counts)}`);
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
