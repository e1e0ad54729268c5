/** The attributes of a CloudEvent in binary mode, which travel as headers (CloudEvents HTTP binding 1.0.2, section 3.1.3). */
import { type Fault, malformed } from "./event-batch.ts";

export interface HeaderAttributes {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Why the headers are no attributes, or null. */
  readonly fault: Fault | null;
}

export const NO_ATTRIBUTES: HeaderAttributes = { attributes: {}, fault: null };

const PREFIX = "ce-";
const REQUIRED_HEADERS = ["ce-specversion", "ce-id", "ce-source", "ce-type"];

/** Whether the request is a CloudEvent in binary mode, or means to be: one of the required attributes is a header. */
export function isBinaryMode(header: (name: string) => string | undefined): boolean {
  return REQUIRED_HEADERS.some((name) => header(name) !== undefined);
}

/** Every header `ce-...`, decoded, and `datacontenttype` from Content-Type. */
export function attributesOfHeaders(headers: Headers): HeaderAttributes {
  const found = new Map<string, string>();
  let fault: Fault | null = null;
  headers.forEach((value, name) => {
    if (!name.startsWith(PREFIX)) return;
    const text = decodedValue(value);
    if (text === undefined) {
      fault ??= malformed(
        `the header ${name.slice(0, 100)} is not UTF-8 in percent-encoding (CloudEvents HTTP binding, 3.1.3.2): write each byte outside of ! to ~, and each space, " and %, as %XX`,
      );
    } else found.set(name.slice(PREFIX.length), text);
  });
  const contentType = headers.get("content-type") || undefined;
  const twice = found.get("datacontenttype");
  if (contentType !== undefined) {
    if (twice !== undefined && twice !== contentType) {
      fault ??= malformed("the header ce-datacontenttype contradicts Content-Type, which is its place: leave it out");
    }
    found.set("datacontenttype", contentType);
  }
  // fromEntries defines members, so that `ce-__proto__` is one like any other.
  return { attributes: Object.fromEntries(found), fault };
}

const QUOTED = /^"((?:[^"\\]|\\[\s\S])*)"$/;
const ESCAPES = /(?:%[0-9a-fA-F]{2})+/g;

/**
 * A header's value as the attribute that it stands for; undefined if its bytes are not UTF-8. First a quoted string is opened
 * (RFC 9110, section 5.6.4), then one round of percent-decoding. A `%` that begins no escape stays, and so does UTF-8 that is
 * not encoded, which workerd has decoded: some SDKs encode nothing.
 */
export function decodedValue(value: string): string | undefined {
  // The mark of bytes that workerd could not decode.
  if (value.includes("\ufffd")) return undefined;
  const quoted = QUOTED.exec(value)?.[1];
  const text = quoted === undefined ? value : quoted.replace(/\\([\s\S])/g, "$1");
  try {
    return text.replace(ESCAPES, decodeURIComponent);
  } catch {
    return undefined;
  }
}
