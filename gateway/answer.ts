/** The answer to a request whose events have verdicts (DESIGN 4). */
import type { VerdictStatus } from "../contracts/verdict.ts";
import type { IngestRequest, Judged, RetryCode } from "./ingest.ts";
import { ProblemError, RETRY_AFTER_SECONDS } from "./problem.ts";
import type { RepeatedEvent } from "./repeats.ts";

export interface EventResult {
  readonly index: number;
  readonly event_id: string | null;
  readonly status: VerdictStatus;
  readonly errors: readonly object[];
  /** Only with `retry`. */
  readonly code?: RetryCode;
}

export interface IngestAnswer {
  readonly request_id: string;
  readonly topic: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly retry: number;
  readonly dry_run?: true;
  /** Events whose dedupe key an earlier event of this request has, the first hundred; only if there are any. Each has its own verdict. */
  readonly duplicates?: readonly RepeatedEvent[];
  /** How many such events there are. */
  readonly duplicates_total?: number;
  /** Some results list fewer errors than were found, since the request has so many; no event lacks a result for it. */
  readonly errors_truncated?: true;
  readonly results: readonly EventResult[];
}

export interface AnswerOptions {
  /** Whether accepted events are listed too. */
  readonly allResults: boolean;
  readonly dryRun: boolean;
}

/** Verdicts as the body of the answer; results in the order of the request. */
export function answerOf(
  judged: Judged,
  retry: ReadonlyMap<number, RetryCode>,
  request: IngestRequest,
  options: AnswerOptions,
): IngestAnswer {
  const { version: contract_version, topic } = request.admitter.contract;
  const refusals = new Map(judged.refusals.map((refusal) => [refusal.index, refusal]));
  const counts = { accepted: 0, rejected: 0, retry: 0 };
  const results: EventResult[] = [];
  for (let index = 0; index < judged.events; index++) {
    const refusal = refusals.get(index);
    const code = retry.get(index);
    const status = code !== undefined ? "retry" : refusal !== undefined ? "rejected" : "accepted";
    counts[status]++;
    if (status === "accepted" && !options.allResults) continue;
    const event_id = judged.eventIds[index] ?? null;
    if (code !== undefined) results.push({ index, event_id, status, errors: [], code });
    else {
      const errors = (refusal?.errors ?? []).map((error) => ({ ...error, contract_version }));
      results.push({ index, event_id, status, errors });
    }
  }
  const { listed, total } = judged.duplicates;
  return {
    request_id: request.requestId,
    topic,
    ...counts,
    ...(options.dryRun ? { dry_run: true } : {}),
    ...(total > 0 ? { duplicates: listed, duplicates_total: total } : {}),
    ...(judged.errorsTruncated ? { errors_truncated: true } : {}),
    results,
  };
}

/** 202, 207 or 422; throws the problem QUEUE_UNAVAILABLE, with the answer in it, if nothing could be stored. */
export function responseOf(answer: IngestAnswer): Response {
  const { accepted, rejected, retry } = answer;
  if (retry > 0 && accepted + rejected === 0) {
    throw new ProblemError("QUEUE_UNAVAILABLE", "no event could be stored: send all of them again", { ...answer });
  }
  const status = retry > 0 ? 207 : rejected === 0 ? 202 : accepted === 0 ? 422 : 207;
  if (retry > 0) return Response.json(answer, { status, headers: { "Retry-After": String(RETRY_AFTER_SECONDS) } });
  return Response.json(answer, { status });
}
