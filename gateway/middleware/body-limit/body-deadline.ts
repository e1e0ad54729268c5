/** How long a body may take to arrive: a sender that stalls, or trickles, would hold its connection and its memory for ever. */
import { ProblemError } from "../../problem.ts";

export interface BodyDeadlines {
  /** Without a byte. */
  readonly idleMs: number;
  /** From the first byte to the last. */
  readonly totalMs: number;
}

export interface BodyDeadline {
  /** What `reading` resolves to, or the problem BODY_TIMEOUT when it comes too late. */
  inTime<Value>(reading: Promise<Value>): Promise<Value>;
  /** Bytes have come. */
  progressed(): void;
  /** Must be called in the end: until then a timer runs. */
  stop(): void;
}

/** Begins now. `now`: milliseconds since the epoch. One timer serves all chunks: when it rings too early, it is set for the rest. */
export function createBodyDeadline({ idleMs, totalMs }: BodyDeadlines, now: () => number): BodyDeadline {
  const end = now() + totalMs;
  let idleEnd = now() + idleMs;
  const late = Promise.withResolvers<never>();
  // Mostly nobody is waiting when a stopped deadline's promise is dropped.
  late.promise.catch(() => undefined);
  let timer = setTimeout(ring, Math.min(idleMs, totalMs));
  function ring(): void {
    const left = Math.min(idleEnd, end) - now();
    if (left > 0) timer = setTimeout(ring, left);
    else
      late.reject(tooSlow(now() >= end ? `not complete after ${totalMs / 1_000} s` : `silent for ${idleMs / 1_000} s`));
  }
  return {
    inTime: (reading) => Promise.race([reading, late.promise]),
    progressed() {
      idleEnd = now() + idleMs;
    },
    stop: () => clearTimeout(timer),
  };
}

function tooSlow(what: string): ProblemError {
  return new ProblemError(
    "BODY_TIMEOUT",
    `the body was ${what}: nothing of it is stored, send it again, in smaller requests if the connection is slow`,
    {},
    { connection: "close" },
  );
}
