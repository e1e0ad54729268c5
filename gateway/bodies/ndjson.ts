/**
 * Newline-delimited JSON: one event per line, each read alone, so that a bad line costs no other. Blank lines are skipped
 * and are no events; `\r\n` is taken for `\n`. Lines are read as they arrive: no more than some ten kilobytes of the
 * body and of what was parsed from it are held at a time.
 */
import { mayHoldLongNumber } from "../../schemas/exact-json.ts";
import { UNSCANNED_BYTES } from "../../schemas/json-bounds.ts";
import { boundsFault } from "./element-bounds.ts";
import { trimmed } from "./element-spans.ts";
import {
  bomLength,
  type EventBatch,
  type Fault,
  malformed,
  mayHoldLoneSurrogates,
  parserMessage,
  type Span,
  textOf,
} from "./event-batch.ts";
import { readNumbersExactly, rereading } from "./json.ts";
import { type LinePiece, linePieces, NEWLINE } from "./line-pieces.ts";

/** Reads all lines, however the chunks cut them. Never throws for what a line holds; `hold` may, see `linePieces`. */
export async function* ndjsonBatches(
  chunks: AsyncIterable<Uint8Array>,
  hold: (bytes: number) => void = () => {},
): AsyncGenerator<EventBatch> {
  for await (const piece of linePieces(chunks, hold)) yield batchOf(piece);
}

function batchOf({ bytes, offset }: LinePiece): EventBatch {
  const bom = offset === 0 ? bomLength(bytes) : 0;
  // A piece of that length has a line that is to be looked at before it is parsed.
  const text = bytes.length > UNSCANNED_BYTES ? undefined : textOf(bytes.subarray(bom));
  let spans: readonly Span[] | undefined;
  const spanOf = (index: number): Span => {
    spans ??= lineSpans(bytes, bom);
    return spans[index] ?? { start: 0, end: bytes.length };
  };
  const payloadOf = (index: number) => {
    const { start, end } = spanOf(index);
    return { offset: offset + start, bytes: bytes.subarray(start, end), text: true };
  };
  // All lines are decoded at once; only where they are not UTF-8 somewhere, they are decoded one by one.
  const lines = text === undefined ? lineSpans(bytes, bom).map((span) => boundedText(bytes, span)) : linesOf(text);
  const faults = new Map<number, Fault>();
  const events = lines.map((line, index): unknown => {
    if (typeof line !== "string") {
      faults.set(index, line);
      return undefined;
    }
    try {
      return JSON.parse(line);
    } catch {
      // Said of the line alone, without the whitespace that the split left around it.
      faults.set(index, notJson(textAt(bytes, spanOf(index)) ?? ""));
      return undefined;
    }
  });
  const values = { events, faults, jsonOf: (index: number) => String(lines[index]) };
  const isRead = text === undefined || mayHoldLongNumber(bytes);
  if (isRead) readNumbersExactly(values);
  const suspectSurrogates = text === undefined || mayHoldLoneSurrogates(text);
  const reread = isRead ? () => false : rereading(values, text);
  return { events, faults, suspectSurrogates, schemaVersion: null, reread, payloadOf };
}

function boundedText(bytes: Uint8Array, span: Span): string | Fault {
  return boundsFault(bytes, span.start, span.end) ?? textAt(bytes, span) ?? malformed("the line is not UTF-8");
}

function notJson(line: string): Fault {
  try {
    JSON.parse(line);
  } catch (error) {
    return malformed(`the line is not JSON: ${parserMessage(error)}`);
  }
  return malformed("the line is not JSON");
}

// Blank is what `lineSpans` calls blank: JSON's whitespace only.
const BLANK = /^[ \t\r]*$/;

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => !BLANK.test(line));
}

function textAt(bytes: Uint8Array, { start, end }: Span): string | undefined {
  return textOf(bytes.subarray(start, end));
}

/** The lines that are not blank, without the whitespace around them. */
function lineSpans(bytes: Uint8Array, from: number): Span[] {
  const spans: Span[] = [];
  for (let start = from; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const span = trimmed(bytes, start, end);
    if (span.start < span.end) spans.push(span);
    start = end + 1;
  }
  return spans;
}
