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

/** Why an error type is given and what the producer does about it; docs/errors.md is made from this. */
export const ERROR_HELP: Readonly<Record<ErrorType, { readonly cause: string; readonly remedy: string }>> = {
  MALFORMED_PAYLOAD: {
    cause:
      "The bytes are no event at all: a line of NDJSON that is not JSON, a value that is not an object, a document that cannot be parsed.",
    remedy: "Serialize with a JSON library in UTF-8; do not truncate or concatenate texts by hand.",
  },
  UNKNOWN_SCHEMA: {
    cause: "The event or the request names a schema version that is not released for the topic.",
    remedy:
      "Name a released version (/registry/subjects/TOPIC-value/versions), or none for the current one; release a new one by a deploy.",
  },
  MISSING_FIELD: {
    cause: "A required field is absent or null.",
    remedy: "Send the field; /v1/contracts/TOPIC/schema.json says which are required.",
  },
  TYPE_MISMATCH: {
    cause:
      "A value has another type than the field: a text for a number, a number outside the type's range, a decimal with more digits than its scale.",
    remedy: "Send the type that `detail` expects. Values are never converted or rounded.",
  },
  UNKNOWN_FIELD: {
    cause: "The contract refuses fields that it does not describe, and the event has one.",
    remedy: "Leave the field out, or have it added to the contract and the schema.",
  },
  INVALID_ENUM: {
    cause: "A value is not among those that the contract accepts.",
    remedy: "Send one of the values that `detail` lists; letter case counts.",
  },
  INVALID_FORMAT: {
    cause:
      "A text is not in the form that its field demands: a time that is not RFC 3339, a pattern or length that is not met, a lone surrogate.",
    remedy: "Send the form that `detail` shows.",
  },
  VALUE_OUT_OF_RANGE: {
    cause: "A number or a list's length is below the contract's minimum or above its maximum.",
    remedy: "Correct the value; if it is right, the contract's bounds are wrong and need a release.",
  },
  TIMESTAMP_OUT_OF_RANGE: {
    cause: "The event's time lies further in the past or the future than the contract allows at its reception.",
    remedy:
      "Check the producer's clock and unit (seconds, milliseconds). For events that are right and old: a wider eventTimeWindow by a deploy, then a replay of the dead letters.",
  },
  RULE_VIOLATION: {
    cause:
      "The fields are well formed each, but a rule of the contract over the whole event does not hold; `rule` names it, `detail` has its expression and the values it read.",
    remedy: "Correct the values; the whole rule stands at /v1/topics/TOPIC.",
  },
  EVENT_TOO_LARGE: {
    cause:
      "The event has more than 100,000 bytes once encoded, or, before it is parsed, more than 1,000,000 bytes or 100,000 values of JSON.",
    remedy: "Store large parts elsewhere and send a reference to them.",
  },
  QUALITY_GATE: {
    cause:
      "No answer of the gateway has it. A build whose check holds a partition back fails with this word; rows that a check takes out stand in quarantine and are no dead letters.",
    remedy:
      "Read the check's result (sluice partitions show TABLE DATE); mend the data at its source and send the event again, or decide: sluice partitions accept, quarantine or discard.",
  },
};

/** One reason. `pointer` is a JSON pointer (RFC 6901) into the event; `rule` names the contract's rule, if one spoke. */
export interface EventError {
  readonly error_type: ErrorType;
  readonly pointer: string;
  readonly rule: string | null;
  readonly detail: string;
}

/** `accepted`: durable. `rejected`: stands in the dead letters. `retry`: not stored, send it again. */
export type VerdictStatus = "accepted" | "rejected" | "retry";
