/**
 * A request with an Idempotency-Key, to its one answer. The receipt holds what must not happen twice; a request that fails
 * here before `submit` has done nothing, and one that fails after it goes on when it is sent again.
 */
import type {
  PreparedRequest,
  ReceiptOutcome,
  ReceiptStub,
  RequestStamp,
  StoredAnswer,
} from "../../durable-objects/stubs.ts";
import { countSent } from "../in-flight.ts";
import { ProblemError, RETRY_AFTER_SECONDS } from "../problem.ts";

/** Under the 32 MiB of an RPC. */
const MAX_SUBMITTED_BYTES = 30_000_000;

export interface OnceRequest {
  readonly receipt: ReceiptStub;
  readonly proposal: RequestStamp;
  /** Judges the body with the receipt's stamp, sending nothing. */
  judge(stamp: RequestStamp): Promise<Omit<PreparedRequest, "requestId">>;
  /** Reads what is left of the body. */
  drain(): Promise<void>;
  /** Of the body, when it was read to its end: the one to keep, then those of the same body under earlier keys. */
  fingerprints(): readonly string[];
}

export interface OnceAnswer extends StoredAnswer {
  readonly repeated: boolean;
}

/**
 * Throws the problems IDEMPOTENCY_KEY_REUSED, QUEUE_UNAVAILABLE (kept, not all sent: again, please), RECEIPTS_UNAVAILABLE,
 * BODY_TOO_LARGE, and what `judge` throws.
 */
export async function answerOnce(request: OnceRequest): Promise<OnceAnswer> {
  const { receipt, proposal } = request;
  const begun = await reach(() => receipt.begin(proposal));
  let prepared: PreparedRequest | null = null;
  try {
    if (begun.state === "begun") prepared = await prepare(request, begun);
  } finally {
    // To its end in every case: the fingerprint is of the whole body.
    await request.drain();
  }
  return answerOf(await submit(receipt, request.fingerprints(), prepared));
}

/** A key may have been rotated since the first try: another fingerprint is another body only if no earlier key makes it. */
async function submit(
  receipt: ReceiptStub,
  [fingerprint = "", ...earlier]: readonly string[],
  prepared: PreparedRequest | null,
): Promise<ReceiptOutcome> {
  let outcome = await reach(() => receipt.submit(fingerprint, prepared));
  for (const other of earlier) {
    if (outcome.state !== "reused") break;
    outcome = await reach(() => receipt.submit(other, null));
  }
  return outcome;
}

async function prepare(request: OnceRequest, { requestId, received }: RequestStamp): Promise<PreparedRequest> {
  const { answer, messages } = await request.judge({ requestId, received });
  const bytes = messages.reduce((sum, { body }) => sum + body.byteLength, Buffer.byteLength(answer.body));
  if (bytes <= MAX_SUBMITTED_BYTES) return { requestId, answer, messages };
  throw new ProblemError(
    "BODY_TOO_LARGE",
    `with an Idempotency-Key, events and verdicts have at most ${MAX_SUBMITTED_BYTES} bytes together, not ${bytes}: split the events over several requests`,
  );
}

function answerOf(outcome: ReceiptOutcome): OnceAnswer {
  switch (outcome.state) {
    case "answered":
      countSent(outcome.sent);
      return { ...outcome.answer, repeated: outcome.repeated };
    case "unsent":
      countSent(outcome.sent);
      throw new ProblemError(
        "QUEUE_UNAVAILABLE",
        "the request is kept, but not all of it is in the queue: send it again with the same Idempotency-Key",
      );
    case "reused":
      throw new ProblemError(
        "IDEMPOTENCY_KEY_REUSED",
        "this Idempotency-Key was used with another body in the last 24 h: a new request needs a new key",
      );
    case "lost":
      throw new ProblemError(
        "RECEIPTS_UNAVAILABLE",
        "the receipt expired while the request was read: send it again",
        {},
        { "Retry-After": String(RETRY_AFTER_SECONDS) },
      );
  }
}

async function reach<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (cause) {
    const detail = "the receipt of this Idempotency-Key does not answer: send the request again with the same key";
    throw new ProblemError("RECEIPTS_UNAVAILABLE", detail, {}, {}, { cause });
  }
}
