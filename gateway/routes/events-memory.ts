/** What a request with events takes of the isolate's memory, as far as its headers and verdicts tell; measured by `npm run bench -- memory`. */
import type { BodyFormat } from "../bodies/media-type.ts";
import type { GatewayLimits } from "../deps.ts";
import type { Judged } from "../ingest.ts";
import type { RequestForm } from "./events-form.ts";

/** The most bytes, as sent and inflated, that a body of this format may have. */
export function largestBody(format: BodyFormat, isIdempotent: boolean, limits: GatewayLimits): number {
  const byFormat = isReadByLine(format) ? limits.bodyBytes : Math.min(limits.bodyBytes, limits.documentBytes);
  return isIdempotent ? Math.min(byFormat, limits.idempotentBytes) : byFormat;
}

/**
 * What a body of valid events comes to: claimed before it is read, so that requests which come at once do not all fail half read for
 * each other's sake. `declared`: its length as sent; null if that is not known.
 */
export function reservedBytes({ format, encoding }: RequestForm, declared: number | null, maxBytes: number): number {
  const inflated = (declared ?? 0) * (encoding === "gzip" ? GZIP_RATIO : 1);
  return Math.min(inflated, maxBytes) * (isReadByLine(format) ? 1.5 : 2.5);
}

/** Of JSON events: gzip makes an eighth of them. */
const GZIP_RATIO = 8;

/** A beacon mostly is lines, and small. */
function isReadByLine(format: BodyFormat): boolean {
  return format === "ndjson" || format === "beacon";
}

/** Of its messages: in a call to a receipt, and in its storage's hands, which may be in this isolate. */
export const RECEIPT_COPIES = 2;

/** A verdict as an object and as a text. */
const RESULT_BYTES = 300;

export function answerBytes({ events, refusals }: Judged, allResults: boolean): number {
  return (allResults ? events : refusals.length) * RESULT_BYTES;
}
