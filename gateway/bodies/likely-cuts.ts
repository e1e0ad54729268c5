/**
 * Where a large JSON array can be cut into pieces of whole elements, guessed without reading it: events of one body mostly begin
 * alike (`{"event_id":`), so a comma before such a beginning mostly ends an element.
 *
 * A guess need not be right. JSON's grammar has one reading: if `[` + piece + `]` is an array for each piece, none of them
 * empty, then the pieces and the commas between them are the array. A cut inside an element, or inside a string, makes
 * the piece before it no JSON.
 */
import { isSpace } from "../../schemas/json-bounds.ts";
import { COMMA } from "./element-spans.ts";
import type { Span } from "./event-batch.ts";

const COLON = 0x3a;
const OPEN_BRACE = 0x7b;

/** A first name that is longer is not one that is searched for. */
const MAX_BEGINNING = 256;
/** More of the beginning is not compared: a body of braces alone would take that long at each of them. */
const MAX_COMPARED = 32;

/**
 * Where pieces of at least `pieceBytes` likely end, in ascending order: the positions of the commas behind them and, for the
 * last, of the array's closing bracket.
 */
export function* likelyEnds(bytes: Uint8Array, array: Span, pieceBytes: number): Generator<number> {
  for (const comma of likelyCommas(bytes, array, pieceBytes)) yield comma;
  yield array.end - 1;
}

function* likelyCommas(bytes: Uint8Array, array: Span, pieceBytes: number): Generator<number> {
  let first = array.start + 1;
  while (isSpace(bytes[first])) first++;
  const colon = bytes.subarray(first, first + MAX_BEGINNING).indexOf(COLON);
  if (bytes[first] !== OPEN_BRACE || colon < 0) return;
  const beginning = bytes.subarray(first, first + Math.min(colon + 1, MAX_COMPARED));
  for (let from = first + pieceBytes; from < array.end; ) {
    const at = positionOf(beginning, bytes, from);
    if (at < 0 || at >= array.end) return;
    let comma = at - 1;
    while (isSpace(bytes[comma])) comma--;
    if (bytes[comma] === COMMA) yield comma;
    from = at + (bytes[comma] === COMMA ? Math.max(1, pieceBytes) : 1);
  }
}

/** Where the bytes of an object's beginning stand, at `from` or behind it; -1: nowhere. A Buffer's own search costs more to set up than this one takes. */
function positionOf(beginning: Uint8Array, bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(OPEN_BRACE, from); at >= 0; at = bytes.indexOf(OPEN_BRACE, at + 1)) {
    let same = 1;
    while (same < beginning.length && bytes[at + same] === beginning[same]) same++;
    if (same === beginning.length) return at;
  }
  return -1;
}
