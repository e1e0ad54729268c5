/**
 * Patterns on ASCII bytes. What most contracts demand (a prefix, then so many characters of some classes) is matched byte by
 * byte; any other pattern is tested on a text that is made for it.
 */
import { asciiText } from "./ascii.ts";

/** Whether the pattern matches somewhere in the ASCII text [start, end). */
export type MatchesText = (bytes: Uint8Array, start: number, end: number) => boolean;

export function compileTextPattern(pattern: RegExp): MatchesText {
  const sequence = parseSequence(pattern.source);
  if (sequence === undefined) return (bytes, start, end) => pattern.test(asciiText(bytes, start, end));
  const { steps, anchored } = sequence;
  return function matchesSequence(bytes, start, end) {
    let at = start;
    for (const { members, least, most } of steps) {
      const last = Math.min(end, at + most);
      const first = at;
      while (at < last && members[bytes[at] ?? 0] === 1) at++;
      if (at - first < least) return false;
    }
    return !anchored || at === end;
  };
}

/** So many characters of a class, as many as there are. */
interface Step {
  /** By ASCII code: 1 for the class' characters. */
  readonly members: Uint8Array;
  readonly least: number;
  readonly most: number;
}

/** What a pattern says that begins with `^`; `anchored`: ends with `$`. */
interface Sequence {
  readonly steps: readonly Step[];
  readonly anchored: boolean;
}

// A literal (a punctuation mark with a backslash before it), or a class of literals and ranges; then how often it stands.
const STEP =
  /([\w:@#/%&,;=~ -]|\\[-.+*?/()[\]{}|$^])(?:\{(\d+)(?:,(\d+))?\})?|\[([\w:@#/%&,;. -]+)\](?:\{(\d+)(?:,(\d+))?\})?/y;

/** Undefined for a pattern that is no such sequence, or of which taking as many characters as there are may be too many. */
function parseSequence(source: string): Sequence | undefined {
  const anchored = source.endsWith("$") && !source.endsWith("\\$");
  const end = source.length - (anchored ? 1 : 0);
  if (!source.startsWith("^")) return undefined;
  const steps: Step[] = [];
  for (let at = 1; at < end; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const match = STEP.exec(source);
    if (match === null || STEP.lastIndex > end) return undefined;
    const [, literal, literalLeast, literalMost, members, classLeast, classMost] = match;
    const least = Number(literalLeast ?? classLeast ?? 1);
    const step = {
      members: literal === undefined ? classOf(members ?? "") : classOf(literal.slice(-1)),
      least,
      most: Number(literalMost ?? classMost ?? least),
    };
    for (const earlier of steps.toReversed()) {
      if (mayTakeTooMany(earlier, step)) return undefined;
      // One that stands at least once keeps those before it from this one.
      if (earlier.least > 0) break;
    }
    steps.push(step);
  }
  return { steps, anchored };
}

/** Whether a step that may stand more or less often shares characters with one behind it. */
function mayTakeTooMany(step: Step, behind: Step): boolean {
  return step.least !== step.most && step.members.some((member, code) => member === 1 && behind.members[code] === 1);
}

/** `0-9a-z_`: a hyphen stands between the ends of a range, or for itself at either end. */
function classOf(text: string): Uint8Array {
  const members = new Uint8Array(128);
  for (let at = 0; at < text.length; at++) {
    const first = text.charCodeAt(at);
    const isRange = text[at + 1] === "-" && at + 2 < text.length;
    const last = isRange ? text.charCodeAt(at + 2) : first;
    members.fill(1, first, last + 1);
    if (isRange) at += 2;
  }
  return members;
}
