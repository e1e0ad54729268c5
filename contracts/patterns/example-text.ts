/** A text that a pattern matches: a walk through its automata, breadth first, so that it is as short as it may be. */
import type { State } from "./matcher.ts";
import { parsePattern } from "./parse.ts";
import { matchersOf } from "./pattern.ts";

export interface TextBounds {
  /** In code points. */
  readonly minLength: number;
  readonly maxLength: number;
}

/** How far the shortest text may be beyond the least length. */
const MAX_GROWTH = 300;
/** Places that are followed at once: more are dropped, and with them perhaps the only text there is. */
const MAX_PLACES = 500;

/** What a person would write comes first. */
const PREFERRED = [..."a0Ax1X_-./:@ "].map((char) => char.codePointAt(0) ?? 0);

/** Undefined if none was found. Throws a PatternProblem if it is no pattern of ECMA-262. */
export function exampleText(pattern: string, { minLength, maxLength }: TextBounds): string | undefined {
  const matchers = matchersOf(parsePattern(pattern, "ecma"));
  const characters = [...new Set([...PREFERRED, ...matchers.flatMap(({ matcher }) => [...matcher.characters()])])]
    // A lone surrogate is no character of a text in UTF-8.
    .filter((point) => point >= 0x20 && (point < 0xd800 || point > 0xdfff));
  const isMatch = (states: readonly State[]): boolean =>
    states.every((state, at) => state.matched !== matchers[at]?.negated);
  const longest = Math.min(maxLength, minLength + MAX_GROWTH);

  let places = new Map([["", { text: "", states: matchers.map(({ matcher }) => matcher.start) }]]);
  for (let length = 0; length <= longest && places.size > 0; length++) {
    const next: typeof places = new Map();
    for (const { text, states } of places.values()) {
      if (length >= minLength && isMatch(states)) return text;
      for (const point of characters) {
        if (next.size >= MAX_PLACES) break;
        const reached = states.map((state, at) => matchers[at]?.matcher.after(state, point) ?? state);
        if (reached.some((state, at) => state.decided && state.matched === matchers[at]?.negated)) continue;
        const key = reached.map(keyOf).join("|");
        if (!next.has(key)) next.set(key, { text: text + String.fromCodePoint(point), states: reached });
      }
    }
    places = next;
  }
  return undefined;
}

function keyOf({ kernel, before, decided }: State): string {
  return decided ? "decided" : `${before} ${kernel.join(" ")}`;
}
