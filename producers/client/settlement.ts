/** What follows from the answer to a batch: verdicts, what is sent again and when. Pure. */
import { type Judgement, readAnswer, readProblem } from "./answer.ts";
import { type Batch, type BufferedEvent, partOf } from "./batcher.ts";
import { type Reaction, reactionTo, waitBeforeRetry } from "./retry-policy.ts";
import type { Reply } from "./transport.ts";
import type { DeliveryError, DeliveryProblem, Verdict } from "./verdict.ts";

export interface Circumstances {
  /** Whether the body was compressed. */
  readonly compressed: boolean;
  /** Milliseconds, on the clock of the batch's times. */
  readonly now: number;
  /** Jitter, in [0, 1). */
  readonly chance: number;
  readonly giveUpAfterMs: number;
}

/** Every event of the batch is either in `finished` or in one batch of `again`. */
export interface Settlement<Event> {
  readonly finished: readonly { readonly event: Event; readonly verdict: Verdict }[];
  readonly again: readonly Batch<Event & BufferedEvent>[];
  /** What the program is told. */
  readonly error: DeliveryError | null;
  /** No request of any batch before this: the gateway is busy or away. */
  readonly pauseUntil: number | null;
  readonly refusesCompression: boolean;
}

interface IdentifiedEvent extends BufferedEvent {
  readonly eventId: string | null;
}

const QUIET = { finished: [], again: [], error: null, pauseUntil: null, refusesCompression: false } as const;

export function settlementOf<Event extends IdentifiedEvent>(
  batch: Batch<Event>,
  reply: Reply,
  circumstances: Circumstances,
): Settlement<Event> {
  const { now, compressed, giveUpAfterMs } = circumstances;
  const attempt = {
    compressed,
    events: batch.events.length,
    // Other refusals (a parameter, a header) would come for each half alike.
    malformed: reply.status === 400 && readProblem(reply.text, 400).code === "MALFORMED_PAYLOAD",
    attempts: batch.attempts,
    elapsedMs: now - (batch.firstTriedAt ?? now),
  };
  let reaction = reactionTo(reply.status, attempt, giveUpAfterMs);
  if (reaction === "read") {
    const judgements = readAnswer(reply.text, batch.events.length);
    if (judgements !== null) return judged(batch, judgements, reply, circumstances);
    reaction = reactionTo(500, attempt, giveUpAfterMs);
  }
  return unjudged(batch, reaction, reply, circumstances);
}

function unjudged<Event extends IdentifiedEvent>(
  batch: Batch<Event>,
  reaction: Reaction,
  reply: Reply,
  { now, chance }: Circumstances,
): Settlement<Event> {
  const { topic, events, attempts } = batch;
  if (reaction === "uncompressed") {
    // No try of the events' own: nothing is wrong with them.
    return { ...QUIET, again: [{ ...batch, attempts: attempts - 1, notBefore: now }], refusesCompression: true };
  }
  if (reaction === "split") {
    const middle = Math.ceil(events.length / 2);
    const halves = [events.slice(0, middle), events.slice(middle)];
    return { ...QUIET, again: halves.map((half) => partOf(batch, half, { attempts: 0, notBefore: now })) };
  }
  const problem = problemOf(reply);
  const willRetry = reaction === "again";
  const error = { topic, events: events.length, attempts, willRetry, problem };
  if (!willRetry) return { ...QUIET, finished: undelivered(events, problem), error };
  const notBefore = now + waitBeforeRetry(attempts, reply.retryAfterMs, chance);
  return { ...QUIET, again: [{ ...batch, notBefore }], error, pauseUntil: notBefore };
}

function judged<Event extends IdentifiedEvent>(
  batch: Batch<Event>,
  judgements: readonly Judgement[],
  reply: Reply,
  { now, chance, giveUpAfterMs }: Circumstances,
): Settlement<Event> {
  const finished: { event: Event; verdict: Verdict }[] = [];
  const left: Event[] = [];
  batch.events.forEach((event, index) => {
    const judgement = judgements[index];
    if (judgement === undefined || judgement.status === "retry") left.push(event);
    else if (judgement.status === "accepted") {
      finished.push({ event, verdict: { status: "accepted", eventId: event.eventId } });
    } else {
      const { errors, eventId } = judgement;
      finished.push({ event, verdict: { status: "rejected", eventId: event.eventId ?? eventId, errors } });
    }
  });
  if (left.length === 0) return { ...QUIET, finished };

  const willRetry = now - (batch.firstTriedAt ?? now) < giveUpAfterMs;
  const problem = {
    httpStatus: reply.status,
    code: "RETRY_VERDICT",
    detail: "not stored: the gateway wants it sent again",
  };
  const error = { topic: batch.topic, events: left.length, attempts: batch.attempts, willRetry, problem };
  if (!willRetry) return { ...QUIET, finished: [...finished, ...undelivered(left, problem)], error };
  // Progress begins the waits anew.
  const attempts = finished.length > 0 ? 1 : batch.attempts;
  const notBefore = now + waitBeforeRetry(attempts, reply.retryAfterMs, chance);
  return { ...QUIET, finished, again: [partOf(batch, left, { attempts, notBefore })], error };
}

function undelivered<Event extends IdentifiedEvent>(events: readonly Event[], problem: DeliveryProblem) {
  return events.map((event) => ({
    event,
    verdict: { status: "undelivered", eventId: event.eventId, problem } satisfies Verdict,
  }));
}

function problemOf({ status, text }: Reply): DeliveryProblem {
  if (status === null) return { httpStatus: null, code: "NO_ANSWER", detail: text };
  if (status < 400 || status === 422)
    return { httpStatus: status, code: "UNREADABLE_ANSWER", detail: text.slice(0, 300) };
  return { httpStatus: status, ...readProblem(text, status) };
}
