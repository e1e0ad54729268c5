/**
 * Telemetry of OpenTelemetry (OTLP/HTTP 1.x) that is posted here by mistake: exporters only need an address, and a topic's looks
 * like one. Sluice takes events of contracts and no telemetry; a sender learns so at once, and what to do.
 */
import type { EventError } from "../contracts/verdict.ts";

export const OTLP_REMEDY =
  "a topic takes the events of its contract, not OTLP. Send logs, traces and metrics to an OpenTelemetry Collector; what belongs into a table, send from there or from the program as events of a topic of its own (docs/bodies.md)";

/** The members of an OTLP request in JSON: ExportLogsServiceRequest and its siblings. */
const REQUESTS = ["resourceLogs", "resourceSpans", "resourceMetrics", "resourceProfiles"];

export function isOtlpType(contentType: string | undefined): boolean {
  return /^\s*application\/x-protobuf\b/i.test(contentType ?? "");
}

/** Whether an event that was refused is an OTLP request. */
export function isOtlpRequest(event: unknown): boolean {
  if (typeof event !== "object" || event === null) return false;
  const [member, ...more] = Object.entries(event);
  return member !== undefined && more.length === 0 && REQUESTS.includes(member[0]) && Array.isArray(member[1]);
}

/** The paths that exporters add to an endpoint by themselves. */
export function isOtlpPath(path: string): boolean {
  return /\/v1(development)?\/(logs|traces|metrics|profiles)$/.test(path);
}

/** The one error of an OTLP request, in place of one for every field that it lacks. */
export const OTLP_ERRORS: readonly EventError[] = [
  { error_type: "MALFORMED_PAYLOAD", pointer: "", rule: null, detail: `this is an OTLP request: ${OTLP_REMEDY}` },
];
