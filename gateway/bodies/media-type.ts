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

/** The format of a Content-Type header, or undefined if it is none that is taken. Parameters other than a charset are ignored. */
export function formatOf(
  contentType: string | undefined,
  besides: ReadonlyMap<string, BodyFormat> = new Map(),
): BodyFormat | undefined {
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  for (const parameter of parameters) {
    const [name, value] = parameter.split("=", 2).map((part) => part.trim());
    if (name === "charset" && value !== undefined && !/^"?(utf-?8|us-ascii)"?$/.test(value)) return undefined;
  }
  return FORMATS.get(type.trim()) ?? besides.get(type.trim());
}

/** Whether data of this type in a CloudEvent is JSON (CloudEvents JSON format 1.0, section 3.1); absent means JSON. */
export function isJsonType(contentType: string | undefined): boolean {
  if (contentType === undefined) return true;
  const type = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  return /^[^/]+\/([^/]+\+)?json$/.test(type);
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
