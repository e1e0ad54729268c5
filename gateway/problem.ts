/**
 * Every reason for which a request as a whole is refused, and the only place that knows HTTP statuses of errors. Bodies are
 * RFC 9457 problem details; `code` is stable, texts may change.
 */

/** One entry of the table. `cause` and `remedy` are sentences for people; docs/errors.md is made from them. */
export interface ProblemEntry {
  readonly status: number;
  readonly title: string;
  readonly cause: string;
  readonly remedy: string;
}

export const PROBLEMS = {
  MALFORMED_PAYLOAD: {
    status: 400,
    title: "The body cannot be read",
    cause:
      "The document is not UTF-8, or not of the format that its Content-Type names. It stands in the dead letters as one refused document.",
    remedy:
      "Read `detail`, which names the position; send a JSON object or array, or one JSON object a line with application/x-ndjson.",
  },
  EMPTY_BODY: {
    status: 400,
    title: "The body has no event",
    cause: "The body is empty, blank, or an empty array.",
    remedy: "Send at least one event; do not send a batch that has none.",
  },
  INVALID_PARAMETER: {
    status: 400,
    title: "A parameter has a value that is not allowed",
    cause: "A parameter of the path, the query or a header is not what /openapi.json says of it.",
    remedy: "`detail` names the parameter and what it may be.",
  },
  UNAUTHENTICATED: {
    status: 401,
    title: "No valid key",
    cause:
      "The request has no key, or one that is unknown, revoked or expired; or it uses the local key on a deployed platform.",
    remedy: "Send the header Authorization: Bearer KEY with a key that is in force.",
  },
  FORBIDDEN: {
    status: 403,
    title: "The key does not allow this",
    cause: "The key is valid, but lacks the scope that this call needs.",
    remedy: "Use a key with the scope that `detail` names.",
  },
  ORIGIN_NOT_ALLOWED: {
    status: 403,
    title: "The key is not for this origin",
    cause: "A publishable key is used from a web origin that it is not bound to, or outside of a browser.",
    remedy: "Make a publishable key for this origin, or use a secret key on a server.",
  },
  HOST_NOT_ALLOWED: {
    status: 403,
    title: "A local platform answers local callers only",
    cause:
      "The request's Host is neither 127.0.0.1 nor localhost: a web page may have bound its own name to this machine, or a proxy stands in between.",
    remedy: "Call it at http://127.0.0.1 and its port; a proxy has to send that Host.",
  },
  PLATFORM_TOPIC: {
    status: 403,
    title: "Only the platform writes to this topic",
    cause: "Topics such as dead_letters are written by the platform itself.",
    remedy: "Send to a topic for which /v1/topics says accepts_events.",
  },
  NOT_FOUND: {
    status: 404,
    title: "There is nothing at this address",
    cause: "No route has this path.",
    remedy: "See / or /docs for the addresses there are.",
  },
  UNKNOWN_TOPIC: {
    status: 404,
    title: "There is no such topic",
    cause: "No contract describes this topic; topics exist once their contract is deployed.",
    remedy: "Use one of `topics` in the answer, or add contracts/TOPIC.yaml and deploy.",
  },
  UNKNOWN_TABLE: {
    status: 404,
    title: "There is no such table",
    cause:
      "The name is wrong; or, in calls about what is published, nothing was published under it yet: a table appears with its first build.",
    remedy: "See /v1/tables for what is published, or /v1/partitions for what is built.",
  },
  UNKNOWN_PARTITION: {
    status: 404,
    title: "There is no such partition",
    cause: "No event of this date has reached the table, and no build of it was ever asked for.",
    remedy:
      "List the partitions of the table: GET /v1/partitions?table=TABLE, or sluice partitions list --table TABLE.",
  },
  UNKNOWN_BACKFILL: {
    status: 404,
    title: "There is no such backfill",
    cause: "No backfill has this id, or the key may not read its table.",
    remedy: "List the backfills and take the id from there: GET /v1/backfills, or sluice backfill list.",
  },
  UNKNOWN_VERSION: {
    status: 404,
    title: "The table cannot be read as of this version",
    cause:
      "The table never had the version, or it was let go: of earlier hours and days only the last version is kept (docs/versions.md).",
    remedy:
      "Read `detail`, which names the nearest version before it; GET /v1/tables/TABLE/versions lists those that are `readable`.",
  },
  UNKNOWN_DEAD_LETTER: {
    status: 404,
    title: "There is no such dead letter",
    cause:
      "No dead letter of the days searched has this id, or the key may not read its topic; one that was refused in the last minute may still be buffered.",
    remedy: "Give its date, or list the dead letters and take the id from there.",
  },
  NOT_PARKED: {
    status: 404,
    title: "Nothing is parked under this id",
    cause: "The id is wrong, or what was parked has been sent on meanwhile.",
    remedy: "List what is parked and take the id from there; what was sent on is in a buffer or in bronze.",
  },
  EVENT_NOT_FOUND: {
    status: 404,
    title: "The event was not found",
    cause:
      "No buffer, parked message, bronze file or dead letter among those `searched` has an event of this id. It may be outside of the time searched, in its queue, or was never accepted.",
    remedy: "Give the topic and the event's date; if its request was answered with retry, send it again.",
  },
  UNKNOWN_KEY: {
    status: 404,
    title: "There is no such key",
    cause: "No key has this id.",
    remedy: "See /v1/keys for the ids there are.",
  },
  UNKNOWN_RUN: {
    status: 404,
    title: "There is no such run",
    cause: "No builder took a lease of this run with this key, or it ended days ago.",
    remedy: "Take work with POST /v1/builds/lease, and speak for the run with the key that took it.",
  },
  NOT_AN_INPUT: {
    status: 404,
    title: "The run does not read this file",
    cause: "A builder reads the files that its order names, and no others.",
    remedy: "Ask for a file of the order, by the key that stands there.",
  },
  INPUT_GONE: {
    status: 410,
    title: "The file is not in the lake any more",
    cause:
      "Somebody deleted an object that the catalog lists; the platform itself deletes none that a run which stands may read.",
    remedy: "Fail the run with the class system; if it stays, look for what deletes objects of the bucket.",
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: "This address does not take this method",
    cause: "The path exists, but not with this method.",
    remedy: "Use the method that the header Allow names.",
  },
  LEASE_LOST: {
    status: 409,
    title: "The lease of the run is gone",
    cause: "It was not renewed in time and another build took the partition, or the run has ended.",
    remedy: "Stop the build: nothing of it can be published. Ask for the next work.",
  },
  BUILDER_MISMATCH: {
    status: 409,
    title: "The builder is not of this platform's release",
    cause:
      "It speaks another protocol, or has another DuckDB than the models were compiled with, which may answer the same SQL otherwise.",
    remedy: "Install the builder of the release that `detail` names.",
  },
  OUTPUT_EXISTS: {
    status: 409,
    title: "The file stands already, with other bytes",
    cause: "Outputs are written once.",
    remedy: "Take another number, or fail the run with the class released and begin again.",
  },
  KEY_NOT_IN_FORCE: {
    status: 409,
    title: "The key is not in force",
    cause: "A key that was revoked or has expired cannot be rotated.",
    remedy: "Make a new key.",
  },
  NOTHING_TO_DECIDE: {
    status: 409,
    title: "The partition is not held back by a check",
    cause:
      "Only a partition whose last build ended at a failing check, and that is not being built just now, can be accepted, quarantined or discarded; a quarantine also needs checks that name rows of silver.",
    remedy: "Read the partition's state and checks: sluice partitions show TABLE DATE.",
  },
  BACKFILL_STATE: {
    status: 409,
    title: "The backfill is in another state",
    cause:
      "A backfill that ended or was cancelled cannot be cancelled; one of which nothing was cancelled or failed has nothing to resume.",
    remedy: "Read its state: sluice backfill show ID.",
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 409,
    title: "The Idempotency-Key belongs to another request",
    cause: "The same key, topic and Idempotency-Key came with another body within 24 hours.",
    remedy: "Use a new Idempotency-Key for every new request, and the same one only to send the same body again.",
  },
  INPUT_CHANGED: {
    status: 412,
    title: "The file is another one by now",
    cause: "The object has another ETag than If-Match says.",
    remedy: "Drop what was read of it, and read the whole.",
  },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    title: "The range has no bytes",
    cause: "It begins behind the end of the file, or ends before it begins.",
    remedy: "Ask for a range within the bytes that the order says of the file.",
  },
  BODY_TIMEOUT: {
    status: 408,
    title: "The body did not arrive in time",
    cause: "The sender was silent for too long in the middle of the body, or took too long for all of it.",
    remedy: "Send the request again; over a slow connection in smaller requests.",
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: "The body is too large",
    cause:
      "The body has more bytes than a request of its format may have (`max_bytes`), or what its events and verdicts come to needs more memory than one request may take.",
    remedy: "Split the events over several requests.",
  },
  TOO_MANY_EVENTS: {
    status: 413,
    title: "The body has too many events",
    cause: "The body has more events than a request may have (`max_events`).",
    remedy: "Split the events over several requests.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: "The body's format is not supported",
    cause: "Content-Type is absent, or names a format that is not taken.",
    remedy: "Send one of the types that `detail` lists, in UTF-8.",
  },
  UNSUPPORTED_CONTENT_ENCODING: {
    status: 415,
    title: "The body's encoding is not supported",
    cause: "Content-Encoding names an encoding that is not taken.",
    remedy: "Send the body in one of the encodings that `detail` allows, or as it is.",
  },
  RATE_LIMITED: {
    status: 429,
    title: "Too much was sent",
    cause:
      "The key is over its limit of requests or events, or too many keys that are not known came from this address within a minute.",
    remedy: "Wait the seconds that Retry-After says; send more events in one request.",
  },
  INTERNAL_ERROR: {
    status: 500,
    title: "Sluice failed",
    cause: "An error of the platform, not of the request.",
    remedy: "Send the request again; if it stays, report the `request_id`.",
  },
  QUEUE_UNAVAILABLE: {
    status: 503,
    title: "Nothing could be stored",
    cause: "The queue took none of the messages: no event is stored.",
    remedy: "Send everything again after the seconds that Retry-After says; event ids make repeats harmless.",
  },
  OVERLOADED: {
    status: 503,
    title: "Too much is under way at once",
    cause:
      "The bodies of all requests that this isolate answers at the moment take the memory there is for them. Nothing of the request is stored.",
    remedy: "Send the request again after the seconds that Retry-After says; smaller requests get through more easily.",
  },
  BACK_PRESSURE: {
    status: 503,
    title: "The topic is far behind",
    cause:
      "What was accepted earlier cannot be written at the moment, and waits: no more is taken before it is. Nothing of the request was read or stored; other topics work.",
    remedy: "Keep the events, and send them again after the seconds that Retry-After says.",
  },
  KEYS_UNAVAILABLE: {
    status: 503,
    title: "Keys cannot be checked",
    cause: "The catalog of keys does not answer, and this key was not seen in the last minute.",
    remedy: "Send the request again after the seconds that Retry-After says.",
  },
  MASKING_KEYS_UNAVAILABLE: {
    status: 503,
    title: "Personal data cannot be masked",
    cause:
      "The topic has masked fields, but this deployment has no usable keys: nothing was read or stored. Other topics work.",
    remedy:
      "The operator sets the secrets MASKING_KEYS and PAYLOAD_KEYS (docs/masking.md); producers keep their events and send them again then.",
  },
  RECEIPTS_UNAVAILABLE: {
    status: 503,
    title: "The receipt cannot be read",
    cause: "The receipt of the Idempotency-Key does not answer; the request may have been kept.",
    remedy: "Send the request again with the same Idempotency-Key after the seconds that Retry-After says.",
  },
  CATALOG_UNAVAILABLE: {
    status: 503,
    title: "The catalog does not answer",
    cause:
      "The database that knows tables and files does not answer, or holds a row that somebody edited and that cannot be read.",
    remedy:
      "Send the request again after the seconds that Retry-After says. Of a row the detail says its table, and the operator's log how to mend it.",
  },
  LAKE_BUSY: {
    status: 503,
    title: "The lake cannot be read just now",
    cause:
      "Other work of this isolate, such as a build, reads or writes Parquet, and there is memory for one; or too many files of the time asked for overlap.",
    remedy: "Send the request again after the seconds that Retry-After says; ask for a shorter time.",
  },
  LAKE_UNAVAILABLE: {
    status: 503,
    title: "The lake does not answer",
    cause: "The catalog or the bucket that holds the tables does not answer, or a file in it cannot be read.",
    remedy: "Send the request again after the seconds that Retry-After says; if it stays, report the `request_id`.",
  },
} as const satisfies Record<string, ProblemEntry>;

export type ProblemCode = keyof typeof PROBLEMS;

/** How long a producer should wait after a 503 or a `retry` verdict, in seconds. */
export const RETRY_AFTER_SECONDS = 5;

/** Thrown anywhere below a route; the app turns it into the answer. `extensions` become members of the body. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemCode;
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    extensions: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(detail, options);
    this.code = code;
    this.extensions = extensions;
    this.headers = headers;
  }
}

/** The answer for a problem. A 503 always carries `Retry-After`. */
export function problemResponse(problem: ProblemError, requestId: string): Response {
  const { code } = problem;
  const { status, title, remedy } = PROBLEMS[code];
  const body = {
    type: `urn:sluice:problem:${code.toLowerCase().replaceAll("_", "-")}`,
    title,
    status,
    code,
    detail: problem.message,
    remedy,
    request_id: requestId,
    ...problem.extensions,
  };
  const headers = new Headers({ "Content-Type": "application/problem+json" });
  if (status === 503) headers.set("Retry-After", String(RETRY_AFTER_SECONDS));
  // Set, not spread: one name in two letter cases would be two values.
  for (const [name, value] of Object.entries(problem.headers)) headers.set(name, value);
  return new Response(JSON.stringify(body), { status, headers });
}
