/**
 * Request headers that a browser may send with events: the only list there is. What is not here makes the browser stop at the
 * preflight, before anything is sent.
 */
export const ALLOWED_HEADERS: readonly string[] = [
  "Authorization",
  "Content-Type",
  "Content-Encoding",
  "Idempotency-Key",
  "Sluice-Schema-Version",
  // Tracing libraries add these to every request of a page: W3C Trace Context, W3C Baggage, Sentry.
  "traceparent",
  "tracestate",
  "baggage",
  "sentry-trace",
];

/** Attributes of a CloudEvent in binary mode. Fetch has no pattern for header names, so the ones asked for are named again. */
const CLOUD_EVENT_HEADER = /^ce-[a-z0-9-]{1,100}$/;

/** The value of Access-Control-Allow-Headers for a preflight's Access-Control-Request-Headers. */
export function allowedHeaders(requested: string | undefined): string {
  const names = (requested ?? "").split(",").map((name) => name.trim().toLowerCase());
  return [...ALLOWED_HEADERS, ...names.filter((name) => CLOUD_EVENT_HEADER.test(name))].join(", ");
}
