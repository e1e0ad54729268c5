/**
 * Texts of the byte pass. ASCII without escapes is copied from quote to quote, four bytes at a time, and so is UTF-8 of which
 * only the length is checked, a character at a time; any other text becomes a value first.
 */
import type { AvroOutput } from "../../../schemas/avro-output.ts";
import { compileScalar } from "../checked-scalars.ts";
import { CLEAN, type Scratch } from "../fast-pass.ts";
import type { ScalarPlan, TextPlan } from "../plan.ts";
import { asciiText, standsAt } from "./ascii.ts";
import { FAIL, type JsonInput, type Keep, type Leavings, type ReadValue, WORD } from "./byte-pass.ts";
import { compileTextPattern } from "./text-pattern.ts";
import { sequenceLength } from "./utf8.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DELETE = 0x7f;
/** A text this short has a one-byte length in Avro. */
const SHORT_TEXT = 63;

/** By byte: 0 for what a text may hold as it is, in one byte. */
const isSpecial = new Uint8Array(256).map((_zero, byte) =>
  byte < 0x20 || byte > DELETE || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);

export function compileText(
  plan: Extract<ScalarPlan, { readonly kind: "string" }>,
  leavings: Leavings,
  keep: Keep,
): ReadValue {
  const { minLength, maxLength, pattern } = plan;
  const members = plan.accepted === null ? null : compileMembers(plan.accepted);
  const matches = pattern === null ? null : compileTextPattern(pattern);
  const isFree = members === null && matches === null && keep === null;
  const readOther = isFree ? compileFreeText(plan, leavings) : compileUncommonText(plan, leavings);
  return function readText(json, at, output) {
    const { bytes } = json;
    const start = output.at;
    const end = copyText(json, at, output);
    if (end === FAIL) {
      output.at = start;
      return readOther(json, at, output);
    }
    // Of ASCII alone there are as many characters as bytes.
    const length = end - at - 2;
    if (length < minLength || length > maxLength) return FAIL;
    if (matches !== null && !matches(bytes, at + 1, end - 1)) return FAIL;
    if (members !== null) {
      const member = memberAt(members[length], bytes, at + 1);
      if (member === undefined) return FAIL;
      leavings.kept = member;
    } else if (keep !== null) {
      leavings.kept = asciiText(bytes, at + 1, end - 1);
    }
    return end;
  };
}

/** Writes a text of ASCII without escapes as an Avro string; `FAIL` for any other value. */
function copyText(json: JsonInput, at: number, output: AvroOutput): number {
  const { bytes, view, lastWord } = json;
  if (bytes[at] !== QUOTE) return FAIL;
  output.reserve(SHORT_TEXT + 2 * WORD);
  const target = output.view;
  const begin = output.at + 1;
  const first = at + 1;
  for (let length = 0; length <= SHORT_TEXT && first + length <= lastWord; length += WORD) {
    const word = view.getInt32(first + length, true);
    target.setInt32(begin + length, word, true);
    const special = specialBytes(word);
    if (special === 0) continue;
    const size = length + firstByte(special);
    if (bytes[first + size] !== QUOTE) return FAIL;
    if (size > SHORT_TEXT) break;
    target.setUint8(begin - 1, size << 1);
    output.at = begin + size;
    return first + size + 1;
  }
  return copyLongText(bytes, first, output);
}

/**
 * The high bits of the bytes of a word that a text cannot hold as they are, in one byte: control characters, quotes, backslashes
 * and what is beyond ASCII. Only the lowest of them is certain ("Bit Twiddling Hacks", S. E. Anderson: a zero byte in a word).
 */
function specialBytes(word: number): number {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  return (
    (((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash) | (word - 0x20202020) | word) &
    0x80808080
  );
}

/** Which byte the lowest of these high bits is of. */
function firstByte(highBits: number): number {
  return (31 - Math.clz32(highBits & -highBits)) >> 3;
}

function copyLongText(bytes: Uint8Array, first: number, output: AvroOutput): number {
  let end = first;
  while (isSpecial[bytes[end] ?? 0] === 0) end++;
  if (bytes[end] !== QUOTE) return FAIL;
  output.writeLong(end - first);
  output.append(bytes, first, end);
  return end + 1;
}

/** A text in UTF-8 of which nothing but the length is checked. */
function compileFreeText(plan: TextPlan & ScalarPlan, leavings: Leavings): ReadValue {
  const { minLength, maxLength } = plan;
  const readUncommon = compileUncommonText(plan, leavings);
  return function readFreeText(json, at, output) {
    const { bytes } = json;
    if (bytes[at] !== QUOTE) return FAIL;
    const first = at + 1;
    let end = first;
    let characters = 0;
    for (let byte = bytes[end] ?? 0; byte !== QUOTE; byte = bytes[end] ?? 0) {
      const length = byte < 0x20 || byte === BACKSLASH ? 0 : sequenceLength(bytes, end);
      if (length === 0) return readUncommon(json, at, output);
      end += length;
      characters++;
    }
    if (characters < minLength || characters > maxLength) return FAIL;
    output.writeLong(end - first);
    output.append(bytes, first, end);
    return end + 1;
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A text with escapes or beyond ASCII, as the pass over values takes it. */
function compileUncommonText(plan: TextPlan & ScalarPlan, leavings: Leavings): ReadValue {
  const scratch: Scratch = { eventMicros: 0, eventStart: 0, masker: null };
  const write = compileScalar(plan, scratch);
  return function readUncommonText({ bytes }, at, output) {
    if (bytes[at] !== QUOTE) return FAIL;
    let end = at + 1;
    while (end < bytes.length && bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1;
    const text = textOf(bytes.subarray(at, end + 1));
    if (text === undefined || write(text, output) !== CLEAN) return FAIL;
    leavings.kept = text;
    return end + 1;
  };
}

/** The text that a JSON string is; undefined if it is none, or holds a lone surrogate. */
function textOf(literal: Uint8Array): string | undefined {
  try {
    const text: unknown = JSON.parse(decoder.decode(literal));
    return typeof text === "string" && text.isWellFormed() ? text : undefined;
  } catch {
    return undefined;
  }
}

/** An accepted value. */
interface Member {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** By length in bytes. The bytes of a value beyond ASCII never stand in a text of ASCII. */
function compileMembers(accepted: ReadonlySet<string>): readonly (readonly Member[] | undefined)[] {
  const byLength: Member[][] = [];
  for (const text of accepted) {
    const bytes = new TextEncoder().encode(text);
    byLength[bytes.length] = [...(byLength[bytes.length] ?? []), { text, bytes }];
  }
  return byLength;
}

/** The accepted value that stands at `start`, so that its text need not be made again. */
function memberAt(candidates: readonly Member[] | undefined, bytes: Uint8Array, start: number): string | undefined {
  if (candidates === undefined) return undefined;
  for (const { text, bytes: member } of candidates) if (standsAt(member, bytes, start)) return text;
  return undefined;
}
