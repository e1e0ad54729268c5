/** The form of a request's body, by its headers alone: nothing is read for one that is refused here. */
import { isBinaryMode } from "../bodies/cloudevent-headers.ts";
import {
  BEACON_FORMATS,
  type BodyFormat,
  encodingOf,
  formatOf,
  isUtf8Json,
  MEDIA_TYPES,
} from "../bodies/media-type.ts";
import type { GatewayContext } from "../context.ts";
import { isOtlpType, OTLP_REMEDY } from "../otlp.ts";
import { ProblemError } from "../problem.ts";

export interface RequestForm {
  readonly format: BodyFormat;
  readonly encoding: "gzip" | "identity";
}

/** Throws the problems UNSUPPORTED_CONTENT_ENCODING and UNSUPPORTED_MEDIA_TYPE. */
export function formOfRequest(c: GatewayContext): RequestForm {
  const contentEncoding = c.req.header("content-encoding");
  const encoding = encodingOf(contentEncoding);
  if (encoding === undefined) {
    throw new ProblemError(
      "UNSUPPORTED_CONTENT_ENCODING",
      `send the body with Content-Encoding gzip, or as it is; got ${contentEncoding?.slice(0, 50)}`,
    );
  }
  const contentType = c.req.header("content-type") || undefined;
  const format = formatOf(contentType, c.get("keyInAddress") ? BEACON_FORMATS : undefined);
  // A type that begins with application/cloudevents says the mode; attributes in headers repeat the envelope's then.
  const isStructured = /^\s*application\/cloudevents/i.test(contentType ?? "");
  if (!isStructured && isBinaryMode((name) => c.req.header(name))) {
    if (isUtf8Json(contentType)) return { format: "cloudevent-data", encoding };
    throw unsupported(
      `the headers ce-* make this a CloudEvent in binary mode, whose data must be JSON in UTF-8: send it with Content-Type application/json, a type that ends in +json, or none; got ${shown(contentType)}`,
    );
  }
  if (format !== undefined) return { format, encoding };
  if (isOtlpType(contentType)) throw unsupported(`${shown(contentType)} is what OpenTelemetry sends: ${OTLP_REMEDY}`);
  throw unsupported(`send UTF-8 with Content-Type ${MEDIA_TYPES.join(", ")}; got ${shown(contentType)}`);
}

function unsupported(detail: string): ProblemError {
  return new ProblemError("UNSUPPORTED_MEDIA_TYPE", detail);
}

function shown(contentType: string | undefined): string {
  return contentType === undefined ? "none" : `"${contentType.slice(0, 100)}"`;
}
