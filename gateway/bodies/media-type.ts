/** Which body format a request announces. */
export type BodyFormat = "json" | "ndjson";

const FORMATS: ReadonlyMap<string, BodyFormat> = new Map([
  ["application/json", "json"],
  ["application/x-ndjson", "ndjson"],
  ["application/ndjson", "ndjson"],
  ["application/jsonl", "ndjson"],
]);

/** What may be sent, for error texts. */
export const MEDIA_TYPES: readonly string[] = [...FORMATS.keys()];

/** The format of a Content-Type header, or undefined if it is none that is taken. Parameters other than a charset are ignored. */
export function formatOf(contentType: string | undefined): BodyFormat | undefined {
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  for (const parameter of parameters) {
    const [name, value] = parameter.split("=", 2).map((part) => part.trim());
    if (name === "charset" && value !== undefined && !/^"?utf-?8"?$/.test(value)) return undefined;
  }
  return FORMATS.get(type.trim());
}
