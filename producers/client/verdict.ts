/** What became of one event that was given to the client. */

/** One reason of a rejection, as the gateway wrote it (docs: `GET /v1/contracts/{topic}`, the field that `pointer` names). */
export interface RejectionError {
  /** Of a closed set, such as `MISSING_FIELD`; a text here, since a gateway may know more of them than this client. */
  readonly error_type: string;
  /** JSON pointer into the event (RFC 6901). */
  readonly pointer: string;
  /** The contract's rule that spoke, if one did. */
  readonly rule: string | null;
  readonly detail: string;
  readonly contract_version: string | null;
}

/** Why a request as a whole came to nothing. */
export interface DeliveryProblem {
  /** Null: there was no answer. */
  readonly httpStatus: number | null;
  /** The gateway's problem code, such as `UNAUTHENTICATED`; `NO_ANSWER` and `UNREADABLE_ANSWER` are this client's own. */
  readonly code: string;
  readonly detail: string;
}

/**
 * `accepted`: durable. `rejected`: stands in the dead letters, sending it again is of no use. `undelivered`: the client gave
 * up (a wrong key, a topic that does not exist, or `giveUpAfterMs` is over); the event is not known to be stored.
 * `eventId` is the value of the contract's id field, null if there is none that the client or the gateway could read.
 */
export type Verdict =
  | { readonly status: "accepted"; readonly eventId: string | null }
  | { readonly status: "rejected"; readonly eventId: string | null; readonly errors: readonly RejectionError[] }
  | { readonly status: "undelivered"; readonly eventId: string | null; readonly problem: DeliveryProblem };

/** The client was closed before the event had a verdict; events under way may have been stored. */
export class ClientClosed extends Error {
  override readonly name = "ClientClosed";
}

/** The buffer is full and as many callers wait for room as may: the event was not taken. */
export class BufferFull extends Error {
  override readonly name = "BufferFull";
}

export interface Rejection {
  readonly topic: string;
  readonly eventId: string | null;
  readonly errors: readonly RejectionError[];
}

/** A request that did not bring verdicts. */
export interface DeliveryError {
  readonly topic: string;
  readonly events: number;
  /** Tries of these events so far. */
  readonly attempts: number;
  /** False: their verdict is `undelivered`. */
  readonly willRetry: boolean;
  readonly problem: DeliveryProblem;
}
