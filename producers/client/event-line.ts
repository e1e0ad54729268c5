/** Events as lines of a body, with their id fixed before the first try: what is sent twice is then recognised as one event. */

const encoder = new TextEncoder();

export interface EventLine {
  /** UTF-8 without the newline. */
  readonly line: Uint8Array;
  /** Null if the event has none that is a text. */
  readonly eventId: string | null;
}

/**
 * An event as a line. If the topic's id field (`idField`, undefined if it has none that a UUID fits) is absent, `newId` makes
 * its value. A bigint is written with all its digits. Throws TypeError for what is no object or cannot be written as JSON.
 */
export function lineOfEvent(event: object, idField: string | undefined, newId: () => string): EventLine {
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    throw new TypeError("an event is an object");
  }
  const own: unknown = idField === undefined ? undefined : Reflect.get(event, idField);
  if (idField !== undefined && own === undefined) {
    const eventId = newId();
    return { line: encoder.encode(jsonOf({ ...event, [idField]: eventId })), eventId };
  }
  const text = jsonOf(event);
  if (text === undefined) throw new TypeError("the event's toJSON gives nothing");
  return { line: encoder.encode(text), eventId: typeof own === "string" ? own : null };
}

/** `JSON.stringify`, which refuses a bigint: only an event that has one pays for a second try. */
function jsonOf(event: object): string | undefined {
  try {
    return JSON.stringify(event);
  } catch {
    return JSON.stringify(event, (_key, value: unknown) => (typeof value === "bigint" ? digitsOf(value) : value));
  }
}

/** Older runtimes have no way to write a number that no double holds. */
function digitsOf(value: bigint): unknown {
  const near = Number(value);
  if (Number.isSafeInteger(near)) return near;
  const rawJSON: unknown = Reflect.get(JSON, "rawJSON");
  if (typeof rawJSON === "function") return rawJSON(String(value));
  throw new TypeError(`this runtime cannot write the number ${value} as JSON: send the event as text`);
}

/** JSON text as a line, taken as it is, so that no digit of a number is lost. Throws TypeError if it is blank or has a line break. */
export function lineOfText(text: string): EventLine {
  if (/^[ \t]*$/.test(text) || /[\r\n]/.test(text)) throw new TypeError("the text of an event is one line, not blank");
  return { line: encoder.encode(text), eventId: null };
}

const NEWLINE = 0x0a;

/** Newline-delimited JSON: each line with a newline behind it. */
export function bodyOf(events: readonly { readonly line: Uint8Array }[]): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(events.reduce((length, { line }) => length + line.byteLength + 1, 0));
  let at = 0;
  for (const { line } of events) {
    body.set(line, at);
    at += line.byteLength;
    body[at++] = NEWLINE;
  }
  return body;
}
