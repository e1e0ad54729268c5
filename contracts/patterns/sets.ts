/** Sets of characters: ranges, Unicode properties, and what is made of them. */
import type { CharSet } from "./syntax.ts";

export type Range = readonly [number, number];

const LAST = 0x10ffff;

export function rangeSet(...ranges: readonly Range[]): CharSet {
  return {
    key: ranges.map(([low, high]) => `${low.toString(36)}-${high.toString(36)}`).join(","),
    has: (point) => ranges.some(([low, high]) => point >= low && point <= high),
    edges: () => ranges.flatMap(([low, high]) => [low, high + 1]),
  };
}

export function charSet(point: number): CharSet {
  return rangeSet([point, point]);
}

export function complement(set: CharSet): CharSet {
  return { key: `^(${set.key})`, has: (point) => !set.has(point), edges: () => set.edges() };
}

export function union(sets: readonly CharSet[]): CharSet {
  const [only] = sets;
  if (only !== undefined && sets.length === 1) return only;
  return {
    key: sets.map(({ key }) => `(${key})`).join("|"),
    has: (point) => sets.some((set) => set.has(point)),
    edges: () => sets.flatMap((set) => set.edges()),
  };
}

/** A Unicode property as `\p{...}` of ECMA-262 names it; undefined if there is none of this name. */
export function propertySet(name: string): CharSet | undefined {
  let member: RegExp;
  try {
    member = new RegExp(`^\\p{${name}}$`, "u");
  } catch {
    return undefined;
  }
  // One character at a time: no text makes this slow.
  const has = (point: number): boolean => member.test(String.fromCodePoint(point));
  return {
    key: `p{${name}}`,
    has,
    edges: () => edgesOf(name, has),
  };
}

/** Between them no character is assigned: none has another property than its neighbours (planes 4 to 13). */
const EMPTY_PLANES: Range = [0x40000, 0xe0000];

const knownEdges = new Map<string, readonly number[]>();

/** Asked by the build only: it takes a tenth of a second. */
function edgesOf(name: string, has: (point: number) => boolean): readonly number[] {
  const known = knownEdges.get(name);
  if (known !== undefined) return known;
  const edges: number[] = [];
  for (let point = 0, before = false; point <= LAST; point++) {
    if (point === EMPTY_PLANES[0] + 1) point = EMPTY_PLANES[1];
    const now = has(point);
    if (now !== before) edges.push(point);
    before = now;
  }
  knownEdges.set(name, edges);
  return edges;
}

const LONG_S = 0x17f;
const KELVIN = 0x212a;
const CASE_BIT = 0x20;

/**
 * The set without regard to case, for letters of ASCII. Two characters outside of ASCII are a letter of it in another case: the
 * long s and the sign for kelvin (Unicode, CaseFolding.txt).
 */
export function withoutCase(set: CharSet): CharSet {
  return {
    key: `i(${set.key})`,
    has: (point) => variantsOf(point).some((variant) => set.has(variant)),
    edges: () => [
      ...set.edges().flatMap((edge) => (edge <= 0x80 ? [edge, edge ^ CASE_BIT, (edge ^ CASE_BIT) + 1] : [edge])),
      0x41,
      0x5b,
      0x61,
      0x7b,
      LONG_S,
      LONG_S + 1,
      KELVIN,
      KELVIN + 1,
    ],
  };
}

function variantsOf(point: number): readonly number[] {
  if (point === LONG_S) return [LONG_S, 0x53, 0x73];
  if (point === KELVIN) return [KELVIN, 0x4b, 0x6b];
  const upper = point & ~CASE_BIT;
  if (point > 0x7f || upper < 0x41 || upper > 0x5a) return [point];
  const both = [upper, upper | CASE_BIT];
  if (upper === 0x53) return [...both, LONG_S];
  return upper === 0x4b ? [...both, KELVIN] : both;
}

export const ANY = rangeSet([0, LAST]);
export const DIGIT = rangeSet([0x30, 0x39]);
export const WORD = rangeSet([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]);

/** ECMA-262's `.`: anything but the end of a line. */
export const ECMA_DOT = complement(rangeSet([0x0a, 0x0a], [0x0d, 0x0d], [0x2028, 0x2029]));
/** ECMA-262's `\s`: WhiteSpace and LineTerminator. */
export const ECMA_SPACE = rangeSet(
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
);
export const RE2_DOT = complement(charSet(0x0a));
export const RE2_SPACE = rangeSet([0x09, 0x0a], [0x0c, 0x0d], [0x20, 0x20]);

/** RE2's classes in double brackets: `[[:alpha:]]`. */
export const POSIX: ReadonlyMap<string, CharSet> = new Map([
  ["alnum", rangeSet([0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a])],
  ["alpha", rangeSet([0x41, 0x5a], [0x61, 0x7a])],
  ["ascii", rangeSet([0, 0x7f])],
  ["blank", rangeSet([0x09, 0x09], [0x20, 0x20])],
  ["cntrl", rangeSet([0, 0x1f], [0x7f, 0x7f])],
  ["digit", DIGIT],
  ["graph", rangeSet([0x21, 0x7e])],
  ["lower", rangeSet([0x61, 0x7a])],
  ["print", rangeSet([0x20, 0x7e])],
  ["punct", rangeSet([0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e])],
  ["space", rangeSet([0x09, 0x0d], [0x20, 0x20])],
  ["upper", rangeSet([0x41, 0x5a])],
  ["word", WORD],
  ["xdigit", rangeSet([0x30, 0x39], [0x41, 0x46], [0x61, 0x66])],
]);
