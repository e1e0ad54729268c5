/** Which body format a request announces. */
export type BodyFormat =
  | "json"
  | "ndjson"
  /** Text of `navigator.sendBeacon`: JSON or NDJSON (`beacon.ts`). */
  | "beacon"
  | "cloudevent"
  | "cloudevent-batch"
  /** In binary mode (CloudEvents HTTP binding 1.0, section 3.1): attributes in headers, the body is the data. */
  | "cloudevent-data"
  | "avro-container"
  | "avro-wire";

const FORMATS: ReadonlyMap<string, BodyFormat> = new Map([
  ["application/json", "json"],
  ["application/x-ndjson", "ndjson"],
  ["application/ndjson", "ndjson"],
  ["application/jsonl", "ndjson"],
  ["application/cloudevents+json", "cloudevent"],
  ["application/cloudevents-batch+json", "cloudevent-batch"],
  // None is registered for container files: the first two are the ones in use, the third is what new software says.
  ["avro/binary", "avro-container"],
  ["application/avro", "avro-container"],
  ["application/vnd.apache.avro", "avro-container"],
  ["application/vnd.confluent.avro", "avro-wire"],
]);

/** Taken besides, with a publishable key in the address: a browser cannot say more of a beacon without a preflight. */
export const BEACON_FORMATS: ReadonlyMap<string, BodyFormat> = new Map([["text/plain", "beacon"]]);

/** What may be sent, for error texts. */
export const MEDIA_TYPES: readonly string[] = [...FORMATS.keys()];

/**
 * The format of a Content-Type header, or undefined if it is none that is taken. Parameters other than a charset are ignored;
 * a charset that is not UTF-8 makes it none.
 */
export function formatOf(
  contentType: string | undefined,
  besides: ReadonlyMap<string, BodyFormat> = new Map(),
): BodyFormat | undefined {
  const { type, isUtf8 } = parsedType(contentType ?? "");
  return isUtf8 ? (FORMATS.get(type) ?? besides.get(type)) : undefined;
}

/** Whether data of this type in a CloudEvent is JSON (CloudEvents JSON format 1.0.2, section 3.1); absent means JSON. */
export function isJsonType(contentType: string | undefined): boolean {
  return contentType === undefined || /^[^/]+\/([^/]+\+)?json$/.test(parsedType(contentType).type);
}

/** Whether a body of this type is JSON in UTF-8, so that it can be the data of a CloudEvent in binary mode. */
export function isUtf8Json(contentType: string | undefined): boolean {
  return isJsonType(contentType) && parsedType(contentType ?? "").isUtf8;
}

function parsedType(contentType: string): { readonly type: string; readonly isUtf8: boolean } {
  const [type = "", ...parameters] = contentType.toLowerCase().split(";");
  const isUtf8 = parameters.every((parameter) => {
    const [name, value] = parameter.split("=", 2).map((part) => part.trim());
    return name !== "charset" || value === undefined || /^"?(utf-?8|us-ascii)"?$/.test(value);
  });
  return { type: type.trim(), isUtf8 };
}

/** How the bytes of the body are wrapped, or undefined for an encoding that is not taken. */
export function encodingOf(contentEncoding: string | undefined): "gzip" | "identity" | undefined {
  switch ((contentEncoding ?? "").trim().toLowerCase()) {
    case "":
    case "identity":
      return "identity";
    case "gzip":
    case "x-gzip":
      return "gzip";
    default:
      return undefined;
  }
}
