/**
 * Every reason for which a request as a whole is refused, and the only place that knows HTTP statuses of errors. Bodies are
 * RFC 9457 problem details; `code` is stable, texts may change.
 */

const PROBLEMS = {
  MALFORMED_PAYLOAD: { status: 400, title: "The body cannot be read" },
  EMPTY_BODY: { status: 400, title: "The body has no event" },
  INVALID_PARAMETER: { status: 400, title: "A parameter has a value that is not allowed" },
  UNAUTHENTICATED: { status: 401, title: "No valid key" },
  FORBIDDEN: { status: 403, title: "The key does not allow this" },
  PLATFORM_TOPIC: { status: 403, title: "Only the platform writes to this topic" },
  NOT_FOUND: { status: 404, title: "There is nothing at this address" },
  UNKNOWN_TOPIC: { status: 404, title: "There is no such topic" },
  UNKNOWN_TABLE: { status: 404, title: "There is no such published table" },
  METHOD_NOT_ALLOWED: { status: 405, title: "This address does not take this method" },
  BODY_TOO_LARGE: { status: 413, title: "The body is too large" },
  TOO_MANY_EVENTS: { status: 413, title: "The body has too many events" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: "The body's format is not supported" },
  UNSUPPORTED_CONTENT_ENCODING: { status: 415, title: "The body's encoding is not supported" },
  INTERNAL_ERROR: { status: 500, title: "Sluice failed" },
  QUEUE_UNAVAILABLE: { status: 503, title: "Nothing could be stored" },
  KEYS_UNAVAILABLE: { status: 503, title: "Keys cannot be checked" },
  CATALOG_UNAVAILABLE: { status: 503, title: "The catalog does not answer" },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

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
  const { status, title } = PROBLEMS[code];
  const body = {
    type: `urn:sluice:problem:${code.toLowerCase().replaceAll("_", "-")}`,
    title,
    status,
    code,
    detail: problem.message,
    request_id: requestId,
    ...problem.extensions,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...(status === 503 ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {}),
      ...problem.headers,
    },
  });
}
