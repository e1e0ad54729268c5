/** Posts simulated events to a gateway the way any producer would, and compares its verdicts with the labels. */
import { setTimeout as delay } from "node:timers/promises";
import { waitBeforeRetry } from "../client/retry-policy.ts";
import { parseRetryAfter } from "../client/transport.ts";
import { type EventVerdict, readAnswer } from "./answer.ts";
import { type Batch, encodeBody, intoBatches } from "./batches.ts";
import type { SimulatedEvent } from "./plan.ts";
import { createTally, type Progress, type SendReport, type Tally } from "./report.ts";

/** The part of `fetch` that is used. */
export type Post = (
  url: string,
  init: { method: "POST"; headers: Record<string, string>; body: string; signal: AbortSignal },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

export interface SendOptions {
  /** Where the gateway listens, for example `http://127.0.0.1:8787`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly events: Iterable<SimulatedEvent> | AsyncIterable<SimulatedEvent>;
  /** Events in a request at most. */
  readonly batchSize?: number;
  /** Requests under way at once. */
  readonly concurrency?: number;
  readonly fetch?: Post;
  /** Called after every answer that stored or refused something, with the counts so far. */
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  /** Waits between tries; the default really waits. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Jitter of the waits, in [0, 1). */
  readonly chance?: () => number;
}

/** The run cannot go on: the gateway refused a request as such, or did not take a batch however often it was sent. */
export class SendError extends Error {
  override readonly name = "SendError";
  /** The last HTTP status, or null if there was no answer. */
  readonly status: number | null;
  /** What was done before. */
  readonly report: SendReport;

  constructor(message: string, status: number | null, report: SendReport, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.report = report;
  }
}

/** Tries without any event stored or refused before the run is given up: with the waits, about a minute. */
const MAX_FAILURES = 12;
const REQUEST_TIMEOUT_MS = 30_000;
const BUSY = new Set([429, 502, 503, 504]);

/**
 * Sends all events and resolves with the report; a wrong verdict is in the report, not an error. Requests answered 429, 503
 * or not at all are sent again, events with the verdict `retry` are sent again without those that were stored. Throws
 * SendError as described there, Error for an answer that does not add up, and the signal's reason when it is aborted.
 */
export async function sendSimulated(options: SendOptions): Promise<SendReport> {
  const { batchSize = 200, concurrency = 4, signal } = options;
  const failed = new AbortController();
  const run: Run = {
    post: options.fetch ?? fetch,
    sleep: options.sleep ?? ((ms, stop) => delay(ms, undefined, { signal: stop })),
    chance: options.chance ?? Math.random,
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    apiKey: options.apiKey,
    signal: signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]),
    tally: createTally(),
    onProgress: options.onProgress ?? (() => {}),
  };
  const batches = intoBatches(options.events, batchSize);

  async function work(): Promise<void> {
    for (let next = await batches.next(); next.done !== true; next = await batches.next()) {
      run.signal.throwIfAborted();
      await deliver(run, next.value);
    }
  }

  const workers = Array.from({ length: concurrency }, () =>
    // The first failure stops the other workers; what they then throw is only its echo.
    work().catch((error: unknown) => failed.abort(error)),
  );
  await Promise.all(workers);
  await batches.return();
  if (failed.signal.aborted) {
    signal?.throwIfAborted();
    throw failed.signal.reason;
  }
  return run.tally.report();
}

interface Run {
  readonly post: Post;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly chance: () => number;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly signal: AbortSignal;
  readonly tally: Tally;
  readonly onProgress: (progress: Progress) => void;
}

/** What one request came to: verdicts, or a reason to send the same again. */
type Attempt =
  | { readonly verdicts: readonly EventVerdict[]; readonly retryAfterMs: number | null }
  | { readonly verdicts: null; readonly retryAfterMs: number | null; readonly status: number | null; cause?: unknown };

/** Sends a batch until every event has a final verdict. */
async function deliver(run: Run, batch: Batch): Promise<void> {
  run.tally.sent(batch.events);
  let open = batch;
  let failures = 0;
  for (let first = true; ; first = false) {
    run.tally.request(!first);
    const attempt = await post(run, open);
    const left = attempt.verdicts === null ? open.events : settle(run, open.events, attempt.verdicts);
    if (left.length < open.events.length) {
      failures = 0;
      run.onProgress(run.tally.progress());
    }
    if (left.length === 0) return;
    failures += 1;
    if (failures >= MAX_FAILURES) {
      const status = attempt.verdicts === null ? attempt.status : null;
      const cause = attempt.verdicts === null ? attempt.cause : undefined;
      const message = `gave up on ${left.length} events of ${batch.topic} after ${failures} tries without progress`;
      throw new SendError(message, status, run.tally.report(), cause);
    }
    open = { ...open, events: left };
    await run.sleep(waitBeforeRetry(failures, attempt.retryAfterMs, run.chance()), run.signal);
  }
}

async function post(run: Run, batch: Batch): Promise<Attempt> {
  const { contentType, body } = encodeBody(batch);
  const startedMs = performance.now();
  let status: number;
  let text: string;
  let retryAfterMs: number | null;
  try {
    const response = await run.post(`${run.baseUrl}/v1/topics/${batch.topic}/events`, {
      method: "POST",
      headers: { Authorization: `Bearer ${run.apiKey}`, "Content-Type": contentType },
      body,
      signal: AbortSignal.any([run.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    status = response.status;
    text = await response.text();
    retryAfterMs = parseRetryAfter(response.headers.get("Retry-After"), Date.now());
  } catch (cause) {
    run.signal.throwIfAborted();
    // No answer: the events may have been stored. Sending them again is safe, silver keeps one of each id.
    return { verdicts: null, retryAfterMs: null, status: null, cause };
  }
  run.tally.answered(performance.now() - startedMs);
  if (BUSY.has(status)) return { verdicts: null, retryAfterMs, status };
  if (status !== 202 && status !== 207 && status !== 422) {
    const message = `POST ${batch.topic} was answered ${status}: ${text.slice(0, 300)}`;
    throw new SendError(message, status, run.tally.report());
  }
  return { verdicts: readAnswer(text, batch.events.length), retryAfterMs };
}

/** Records the final verdicts and returns the events that have none yet. */
function settle(
  run: Run,
  events: readonly SimulatedEvent[],
  verdicts: readonly EventVerdict[],
): readonly SimulatedEvent[] {
  return events.filter((event, index) => {
    const verdict = verdicts[index];
    if (verdict === undefined || verdict.status === "retry") return true;
    if (verdict.status === "accepted") run.tally.verdict(event, "accepted", null);
    else run.tally.verdict(event, verdict.errorType, verdict.detail);
    return false;
  });
}
