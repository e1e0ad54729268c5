/**
 * What the gateway says of an event. The vocabulary is shared by the gateway, dead letters, the ledger and the
 * simulators' labels, so it lives below all of them.
 */

/** Every reason for which an event can be refused. A closed set: docs, metrics and `pipeline_health` have a place for each. */
export const ERROR_TYPES = [
  "MALFORMED_PAYLOAD",
  "UNKNOWN_SCHEMA",
  "MISSING_FIELD",
  "TYPE_MISMATCH",
  "UNKNOWN_FIELD",
  "INVALID_ENUM",
  "INVALID_FORMAT",
  "VALUE_OUT_OF_RANGE",
  "TIMESTAMP_OUT_OF_RANGE",
  "RULE_VIOLATION",
  "EVENT_TOO_LARGE",
  "QUALITY_GATE",
] as const;

export type ErrorType = (typeof ERROR_TYPES)[number];

/** One reason. `pointer` is a JSON pointer (RFC 6901) into the event; `rule` names the contract's rule, if one spoke. */
export interface EventError {
  readonly error_type: ErrorType;
  readonly pointer: string;
  readonly rule: string | null;
  readonly detail: string;
}

/** `accepted`: durable. `rejected`: stands in the dead letters. `retry`: not stored, send it again. */
export type VerdictStatus = "accepted" | "rejected" | "retry";
