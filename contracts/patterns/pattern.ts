/** Patterns that run: what the build checks and the gateway tests texts with, by the same code. */
import { buildAutomaton } from "./automaton.ts";
import type { Dialect } from "./escapes.ts";
import { Matcher } from "./matcher.ts";
import { parsePattern } from "./parse.ts";
import { type ParsedPattern, PatternProblem } from "./syntax.ts";

export interface Pattern {
  /** As a regular expression of ECMA-262 with the flag u, if that is its dialect. */
  readonly source: string;
  /** Whether it matches somewhere in the text, in time that only the text's length decides. */
  test(text: string): boolean;
}

/** A few hundred bytes each. `.{1,2000}` still has so many. */
const MAX_STATES = 2_048;

const compiled = new Map<string, Pattern>();

/**
 * Throws a PatternProblem for a text that is no such pattern. The same text gives the same pattern: every schema version of a
 * topic has it. Its automaton is made when it first tests a text, since most of an isolate's topics are never posted to.
 */
export function compilePattern(text: string, dialect: Dialect): Pattern {
  const key = `${dialect} ${text}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const parsed = parsePattern(text, dialect);
  let test: Pattern["test"] | undefined;
  const pattern: Pattern = {
    source: parsed.source,
    test(value) {
      test ??= testOf(parsed);
      return test(value);
    },
  };
  compiled.set(key, pattern);
  return pattern;
}

function testOf(parsed: ParsedPattern): Pattern["test"] {
  const matchers = matchersOf(parsed);
  const [only] = matchers;
  if (only !== undefined && matchers.length === 1) return (value) => only.matcher.test(value);
  return (value) => matchers.every(({ matcher, negated }) => matcher.test(value) !== negated);
}

/** What is wrong with a pattern, and what to write instead; undefined for one that `compilePattern` takes and that runs in bounded memory. */
export function patternProblem(text: string, dialect: Dialect): string | undefined {
  try {
    const matchers = matchersOf(parsePattern(text, dialect));
    const explored = matchers.map(({ matcher, negated }) => ({ ...matcher.explore(), negated }));
    if (explored.some(({ fits }) => !fits))
      return `it needs more than ${MAX_STATES} states: begin it with ^, repeat less, or bound the text by minLength and maxLength`;
    return explored.some(({ matches, negated }) => !matches && !negated) ? "no text matches it" : undefined;
  } catch (error) {
    if (error instanceof PatternProblem) return error.message;
    throw error;
  }
}

/** A text matches if each matcher says so, or, if it is negated, does not. */
export function matchersOf({ body, lookaheads }: ParsedPattern): readonly { matcher: Matcher; negated: boolean }[] {
  return [...lookaheads, { body, negated: false }].map(({ body: part, negated }) => ({
    matcher: new Matcher(buildAutomaton(part), MAX_STATES),
    negated,
  }));
}
