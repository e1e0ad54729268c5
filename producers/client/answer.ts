/** The gateway's answer to a request. Read by hand: a browser should not load a validation library for one shape. */
import type { RejectionError } from "./verdict.ts";

/** What the gateway says of one event of a request. */
export type Judgement =
  | { readonly status: "accepted" }
  | { readonly status: "retry" }
  | { readonly status: "rejected"; readonly eventId: string | null; readonly errors: readonly RejectionError[] };

const ACCEPTED: Judgement = { status: "accepted" };
const RETRY: Judgement = { status: "retry" };

/**
 * One judgement per event, in the order sent. Null if the text is no answer or does not add up: results name each event that
 * was not accepted once, and the counts are those of the results. Nothing is taken for accepted on the word of half an answer.
 */
export function readAnswer(text: string, sent: number): Judgement[] | null {
  const answer = parse(text);
  if (!isRecord(answer) || !Array.isArray(answer["results"])) return null;
  const judgements = new Array<Judgement>(sent).fill(ACCEPTED);
  const named = new Set<number>();
  const counts = { accepted: sent, rejected: 0, retry: 0 };
  for (const result of answer["results"]) {
    if (!isRecord(result)) return null;
    const { index, status } = result;
    if (typeof index !== "number" || !(index in judgements) || named.has(index)) return null;
    named.add(index);
    if (status === "accepted") continue;
    if (status === "retry") judgements[index] = RETRY;
    else if (status === "rejected") judgements[index] = rejection(result);
    else return null;
    counts[status]++;
    counts.accepted--;
  }
  const { accepted, rejected, retry } = answer;
  const addsUp = accepted === counts.accepted && rejected === counts.rejected && retry === counts.retry;
  return addsUp ? judgements : null;
}

/** `code` and `detail` of problem details (RFC 9457), or what can be said without them. */
export function readProblem(text: string, status: number): { readonly code: string; readonly detail: string } {
  const problem = parse(text);
  const { code, detail } = isRecord(problem) ? problem : {};
  return {
    code: typeof code === "string" ? code : `HTTP_${status}`,
    detail: typeof detail === "string" ? detail : text.slice(0, 300),
  };
}

function rejection(result: Readonly<Record<string, unknown>>): Judgement {
  const { event_id, errors } = result;
  return {
    status: "rejected",
    eventId: textOr(event_id, null),
    errors: (Array.isArray(errors) ? errors : []).filter(isRecord).map((error) => ({
      error_type: textOr(error["error_type"], ""),
      pointer: textOr(error["pointer"], ""),
      rule: textOr(error["rule"], null),
      detail: textOr(error["detail"], ""),
      contract_version: textOr(error["contract_version"], null),
    })),
  };
}

function textOr<Otherwise>(value: unknown, otherwise: Otherwise): string | Otherwise {
  return typeof value === "string" ? value : otherwise;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
