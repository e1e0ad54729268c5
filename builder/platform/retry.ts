/** Tries a call again as long as that may help. */
import { type Backoff, scatteredWaitAfter } from "../../schemas/backoff.ts";
import { pause, reasonOf } from "../stopped.ts";
import { errorOf, mayTryAgain, UnreachableError } from "./refusal.ts";

const BACKOFF_MS: Backoff = { first: 500, longest: 15_000 };
/** A platform that asks for more patience is asked earlier: it may have come back. */
const LONGEST_RETRY_AFTER_MS = 60_000;

export interface RetryBounds {
  /** A call is given up after so long; Infinity: never. */
  readonly giveUpAfterMs: number;
  /** One try takes so long at the most. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Hears of each failed try. */
  readonly onFailure?: (message: string) => void;
}

/**
 * The text of the first answer that is 2xx and arrives whole. Network faults, 408, 429 and 5xx are tried again with growing waits of random length, and not before
 * Retry-After. Throws what `errorOf` makes of other answers, UnreachableError once the time is up, and the signal's reason.
 */
export async function untilAnswered(
  { giveUpAfterMs, timeoutMs, signal, onFailure = () => {} }: RetryBounds,
  send: (signal: AbortSignal) => Promise<Response>,
): Promise<string> {
  const deadline = performance.now() + giveUpAfterMs;
  for (let failures = 0; ; failures++) {
    const { answer, fault, retryAfterMs } = await attempt(timeoutMs, signal, send);
    if (answer !== undefined) return answer;
    onFailure(fault);
    const wait = Math.max(scatteredWaitAfter(BACKOFF_MS, failures, Math.random()), retryAfterMs);
    if (performance.now() + wait >= deadline)
      throw new UnreachableError(`the platform gave no answer in ${Math.round(giveUpAfterMs / 1_000)} s: ${fault}`);
    await pause(wait, signal);
  }
}

interface Attempt {
  readonly answer?: string;
  readonly fault: string;
  readonly retryAfterMs: number;
}

async function attempt(
  timeoutMs: number,
  signal: AbortSignal,
  send: (signal: AbortSignal) => Promise<Response>,
): Promise<Attempt> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await send(AbortSignal.any([signal, timeout]));
    text = await response.text();
  } catch (error) {
    if (signal.aborted) throw reasonOf(signal);
    return {
      fault: timeout.aborted ? `no answer within ${timeoutMs / 1_000} s` : networkFault(error),
      retryAfterMs: 0,
    };
  }
  if (response.ok) return { answer: text, fault: "", retryAfterMs: 0 };
  const error = errorOf(response.status, text);
  if (!mayTryAgain(response.status)) throw error;
  return { fault: error.message, retryAfterMs: retryAfterOf(response.headers) };
}

/** fetch says "fetch failed", and why in the cause. */
export function networkFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== "" ? `${error.message}: ${cause.message}` : error.message;
}

function retryAfterOf(headers: Headers): number {
  const seconds = Number(headers.get("retry-after") ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(LONGEST_RETRY_AFTER_MS, seconds * 1_000) : 0;
}
