/**
 * LIKE and ILIKE. A pattern is cut at its `%` into pieces, which are looked for one after another from the left: the first
 * place of a piece leaves the most text to the rest, so that nothing is ever tried again. A row costs the length of its
 * text times the longest piece at worst, whatever the pattern.
 */
import type { BytesColumn } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import { ModelValueError } from "../ir/errors.ts";
import type { Call } from "../ir/ir.ts";
import { letterCaseKernel, requireText } from "./strings.ts";
import { createFinder, type Finder, sameBytes } from "./text-find.ts";
import { codePointSize, previousCodePoint } from "./utf8.ts";
import { argument, boolColumn, impossible, type Kernel, mergeNulls, type Unsupported, unsupported } from "./vector.ts";

const PERCENT = 0x25;
const UNDERSCORE = 0x5f;
/** In a piece: any one character. Everything else in it is a byte. */
const ANY = -1;

/** A stretch of a pattern between two `%`; `literal` when it holds no `_`. */
interface Piece {
  readonly steps: readonly number[];
  readonly literal: Uint8Array | undefined;
}

interface Pattern {
  readonly pieces: readonly Piece[];
  /** The pattern ends with its escape character, which then escapes nothing. */
  readonly unfinished: boolean;
}

function parsePattern(pattern: Uint8Array, escapeByte: number | undefined): Pattern {
  const pieces: Piece[] = [];
  let steps: number[] = [];
  let unfinished = false;
  const close = () => {
    pieces.push({ steps, literal: steps.includes(ANY) ? undefined : Uint8Array.from(steps) });
    steps = [];
  };
  for (let at = 0; at < pattern.length; at++) {
    const byte = pattern[at]!;
    if (byte === escapeByte) {
      at++;
      if (at < pattern.length) steps.push(pattern[at]!);
      else unfinished = true;
    } else if (byte === PERCENT) close();
    else steps.push(byte === UNDERSCORE ? ANY : byte);
  }
  // DuckDB meets the unfinished end only when the text fits all before it and goes on: that is what is asked here.
  if (unfinished) {
    steps.push(ANY);
    close();
  }
  close();
  return { pieces, unfinished };
}

/** Where `piece` ends when it stands at `at`, or -1 when it does not. */
function endOfMatch({ steps }: Piece, bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  for (const step of steps) {
    if (at >= to) return -1;
    if (step === ANY) at += codePointSize(bytes[at]!);
    else if (bytes[at] === step) at++;
    else return -1;
  }
  return at;
}

/** Where `piece` begins when it ends at `to`, or -1. */
function startOfMatch({ steps }: Piece, bytes: Uint8Array, from: number, to: number): number {
  let at = to;
  for (let step = steps.length - 1; step >= 0; step--) {
    if (at <= from) return -1;
    if (steps[step] === ANY) at = previousCodePoint(bytes, from, at);
    else if (bytes[at - 1] === steps[step]) at--;
    else return -1;
  }
  return at;
}

/** Where the first match of `piece` ends, or -1. */
function endOfFirst(piece: Piece, bytes: Uint8Array, from: number, to: number, find: Finder): number {
  if (piece.literal !== undefined) {
    const at = find(bytes, from, to, piece.literal);
    return at < 0 ? -1 : at + piece.literal.length;
  }
  for (let at = from; at < to; at += codePointSize(bytes[at]!)) {
    const end = endOfMatch(piece, bytes, at, to);
    if (end >= 0) return end;
  }
  return -1;
}

function matches({ pieces }: Pattern, bytes: Uint8Array, from: number, to: number, find: Finder): boolean {
  const first = pieces[0]!;
  let at = endOfMatch(first, bytes, from, to);
  if (pieces.length === 1 || at < 0) return at === to;
  const last = pieces[pieces.length - 1]!;
  for (let index = 1; index < pieces.length - 1; index++) {
    at = endOfFirst(pieces[index]!, bytes, at, to, find);
    if (at < 0) return false;
  }
  return startOfMatch(last, bytes, at, to) >= 0;
}

const likes: Readonly<Record<string, { readonly negated: boolean; readonly anyCase: boolean }>> = {
  "~~": { negated: false, anyCase: false },
  "!~~": { negated: true, anyCase: false },
  "~~*": { negated: false, anyCase: true },
  "!~~*": { negated: true, anyCase: true },
  like_escape: { negated: false, anyCase: false },
  not_like_escape: { negated: true, anyCase: false },
  ilike_escape: { negated: false, anyCase: true },
  not_ilike_escape: { negated: true, anyCase: true },
};

/** `[NOT] LIKE` and `[NOT] ILIKE`, with or without ESCAPE. ILIKE compares the lower case of both. */
export function bindLike(call: Call): Kernel | Unsupported {
  const like = likes[call.name];
  if (like === undefined) return unsupported(`the function ${call.name} is not supported`);
  const escapeByte = escapeOf(call, like.anyCase);
  if (typeof escapeByte === "object") return escapeByte;
  const pattern = call.args[1];
  if (pattern?.node === "constant" && typeof pattern.value === "string") {
    const { unfinished } = parsePattern(new TextEncoder().encode(pattern.value), escapeByte);
    if (unfinished) return impossible(`the pattern '${pattern.value}' ends with its escape character`);
  }
  const lower = letterCaseKernel(false);
  return (
    requireText(call) ??
    ((columns, length) => {
      const [text, patterns] = [0, 1].map((index) => {
        const column = argument(columns, index);
        return requireKind(like.anyCase ? lower([column], length) : column, "bytes");
      });
      const nulls = mergeNulls(columns, length);
      const fits = createMatcher(text!, patterns!, escapeByte);
      const values = new Uint8Array(length);
      for (let row = 0; row < length; row++) if (nulls?.[row] !== 1) values[row] = fits(row) === like.negated ? 0 : 1;
      return boolColumn(values, nulls);
    })
  );
}

/** Whether row i of `text` is like row i of `pattern`; a pattern is parsed again only when it changes. */
function createMatcher(
  text: BytesColumn,
  pattern: BytesColumn,
  escapeByte: number | undefined,
): (row: number) => boolean {
  const find = createFinder();
  let written: Uint8Array | undefined;
  let parsed: Pattern = { pieces: [], unfinished: false };
  return (row) => {
    const bytes = pattern.bytes.subarray(pattern.offsets[row]!, pattern.offsets[row + 1]!);
    if (written === undefined || !sameBytes(written, bytes)) {
      written = bytes;
      parsed = parsePattern(bytes, escapeByte);
    }
    const fits = matches(parsed, text.bytes, text.offsets[row]!, text.offsets[row + 1]!, find);
    if (!parsed.unfinished) return fits;
    if (fits) throw new ModelValueError("a LIKE pattern ends with its escape character");
    return false;
  };
}

/** The escape character as a byte. DuckDB's ILIKE, and an empty ESCAPE, take the character NUL for it. */
function escapeOf(call: Call, anyCase: boolean): number | undefined | Unsupported {
  const written = call.args[2];
  if (written === undefined) return anyCase ? 0 : undefined;
  const character = written.node === "constant" && typeof written.value === "string" ? written.value : undefined;
  if (character === undefined) return unsupported("ESCAPE must be a constant character");
  if (character === "") return 0;
  const byte = character.charCodeAt(0);
  return character.length === 1 && byte < 0x80 && byte !== PERCENT
    ? byte
    : unsupported(`ESCAPE '${character}' is not supported: one ASCII character is, other than %`);
}
