/** The gateway's answer to a request, as a producer reads it. */
import * as z from "zod";
import { ERROR_TYPES, type ErrorType } from "../../contracts/verdict.ts";

const result = z.object({
  index: z.int().nonnegative(),
  event_id: z.string().nullish(),
});

// A rejection without an error of the closed set is the gateway's fault and is not read as a verdict.
const rejected = result.extend({
  status: z.literal("rejected"),
  errors: z.tuple([problemOf(z.enum(ERROR_TYPES))], problemOf(z.string())),
});
const accepted = result.extend({ status: z.literal("accepted") });
const retry = result.extend({ status: z.literal("retry") });

const answer = z.object({
  request_id: z.string(),
  topic: z.string(),
  accepted: z.int().nonnegative(),
  rejected: z.int().nonnegative(),
  retry: z.int().nonnegative(),
  results: z.array(z.discriminatedUnion("status", [rejected, accepted, retry])),
});

function problemOf<Type extends z.ZodType>(errorType: Type) {
  return z.object({ error_type: errorType, detail: z.string().nullish() });
}

/** What became of one event of a request; a rejection speaks by its first error. */
export type EventVerdict =
  | { readonly status: "accepted" }
  | { readonly status: "retry" }
  | { readonly status: "rejected"; readonly errorType: ErrorType; readonly detail: string | null };

/**
 * One verdict per event sent, in the order sent. Throws Error if the text is not an answer, or if it does not add up: every
 * event has one verdict, results name those not accepted, and the counts are the results'.
 */
export function readAnswer(text: string, sent: number): EventVerdict[] {
  const { accepted, rejected, retry, results } = answer.parse(JSON.parse(text));
  const verdicts = new Array<EventVerdict>(sent).fill({ status: "accepted" });
  const named = new Set<number>();
  for (const one of results) {
    if (one.index >= sent || named.has(one.index)) throw new Error(`verdict for index ${one.index} of ${sent} events`);
    named.add(one.index);
    if (one.status === "rejected") {
      const [first] = one.errors;
      verdicts[one.index] = { status: "rejected", errorType: first.error_type, detail: first.detail ?? null };
    } else verdicts[one.index] = { status: one.status };
  }
  const count = (status: EventVerdict["status"]) => verdicts.filter((verdict) => verdict.status === status).length;
  if (count("accepted") !== accepted || count("rejected") !== rejected || count("retry") !== retry) {
    throw new Error(
      `the answer does not add up: ${accepted} accepted, ${rejected} rejected, ${retry} to retry of ${sent}, with ${results.length} results`,
    );
  }
  return verdicts;
}
