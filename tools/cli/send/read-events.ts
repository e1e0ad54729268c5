/** Files and pipes as events: the text of each, untouched, and where it stands. */
import { elementSpans } from "../../../gateway/bodies/element-spans.ts";
import { CommandProblem } from "../../command-problem.ts";

export interface SourceEvent {
  /** Counted from 1: the line of newline-delimited JSON, the element of an array. */
  readonly position: number;
  /** One line; null if its bytes are not UTF-8. */
  readonly text: string | null;
  /** Bytes of the source that are read when this event is. */
  readonly endsAt: number;
}

const NEWLINE = 0x0a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
/** An event has at most 100 KB once encoded: a "line" of this length is no line. */
const MAX_LINE_BYTES = 10_000_000;
/** A JSON document is read whole. */
const MAX_DOCUMENT_BYTES = 500_000_000;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Newline-delimited JSON, line by line; blank lines are no events. Throws CommandProblem (USAGE) for a line over 10 MB. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SourceEvent, void, undefined> {
  let rest: Uint8Array = new Uint8Array(0);
  let position = 0;
  let read = 0;
  for await (const chunk of chunks) {
    const bytes = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const event = eventOf(bytes.subarray(start, end), ++position, read + end + 1 - start);
      read += end + 1 - start;
      start = end + 1;
      if (event !== null) yield event;
    }
    // A copy: the stream may use the chunk's memory again.
    rest = new Uint8Array(bytes.subarray(start));
    if (rest.byteLength > MAX_LINE_BYTES) {
      throw new CommandProblem(
        "USAGE",
        `Line ${position + 1} has over 10 MB: is this newline-delimited JSON? --format json takes an array.`,
      );
    }
  }
  const last = eventOf(rest, ++position, read + rest.byteLength);
  if (last !== null) yield last;
}

function eventOf(line: Uint8Array, position: number, endsAt: number): SourceEvent | null {
  const text = textOf(line);
  if (text === null) return { position, text, endsAt };
  const trimmed = text.replace(/^[ \t\r]+|[ \t\r]+$/g, "");
  // A carriage return inside would break the line in two for some readers; in JSON it is whitespace.
  return trimmed === "" ? null : { position, text: trimmed.replaceAll("\r", " "), endsAt };
}

/** The elements of a JSON array, or one object. Throws CommandProblem (USAGE) for what is not JSON. */
export async function* readDocument(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SourceEvent, void, undefined> {
  const bytes = await readWhole(chunks);
  const document = parse(bytes);
  const spans = Array.isArray(document)
    ? elementSpans(bytes, bytes.indexOf(OPEN_BRACKET) + 1, bytes.lastIndexOf(CLOSE_BRACKET)).slice(0, document.length)
    : [{ start: 0, end: bytes.byteLength }];
  for (const [index, { start, end }] of spans.entries()) {
    // Between its tokens only: inside strings a line break is always escaped (RFC 8259, section 7).
    const text = decoder
      .decode(bytes.subarray(start, end))
      .replace(/[\r\n]+/g, " ")
      .trim();
    yield { position: index + 1, text, endsAt: end };
  }
}

async function readWhole(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.byteLength;
    if (length > MAX_DOCUMENT_BYTES) {
      throw new CommandProblem(
        "USAGE",
        "A JSON document is read whole, up to 500 MB; send newline-delimited JSON instead.",
      );
    }
    parts.push(chunk);
  }
  const bytes = Buffer.concat(parts);
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? bytes.subarray(3) : bytes;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new CommandProblem(
      "USAGE",
      `This is not a JSON document: ${detail}\n--format ndjson takes one event per line.`,
      { cause },
    );
  }
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
