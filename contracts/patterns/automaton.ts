/** Patterns as nondeterministic automata (Thompson's construction). */
import { type Assertion, type CharSet, type PatternNode, PatternProblem } from "./syntax.ts";

/** A state of the nondeterministic automaton, by its place in a list; `next` is such a place. */
export type Step =
  | { readonly kind: "set"; readonly set: number; readonly next: number }
  | { readonly kind: "split"; readonly targets: number[] }
  | { readonly kind: "assertion"; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: "match" };

export interface Automaton {
  readonly steps: readonly Step[];
  readonly start: number;
  readonly sets: readonly CharSet[];
  /** True if any step asks for the edge of a word. */
  readonly words: boolean;
}

/** Repeats are written out, so `{1,1000}` in another one is a million steps. */
const MAX_STEPS = 20_000;

/** Throws a PatternProblem for a pattern that is too long when its repeats are written out. */
export function buildAutomaton(pattern: PatternNode): Automaton {
  const steps: Step[] = [{ kind: "match" }];
  const sets: CharSet[] = [];
  const setByKey = new Map<string, number>();

  function add(step: Step): number {
    if (steps.length >= MAX_STEPS)
      throw new PatternProblem("its repeats are too many: bound the text by minLength and maxLength instead");
    return steps.push(step) - 1;
  }

  function setOf(set: CharSet): number {
    let index = setByKey.get(set.key);
    if (index === undefined) {
      index = sets.push(set) - 1;
      setByKey.set(set.key, index);
    }
    return index;
  }

  /** The step where a part begins that ends at `next`. */
  function build(node: PatternNode, next: number): number {
    switch (node.kind) {
      case "set":
        return add({ kind: "set", set: setOf(node.set), next });
      case "assertion":
        return add({ kind: "assertion", assertion: node.assertion, next });
      case "sequence":
        return node.parts.reduceRight((after, part) => build(part, after), next);
      case "choice":
        return add({ kind: "split", targets: node.options.map((option) => build(option, next)) });
      case "repeat":
        return repeat(node.part, node.least, node.most, next);
    }
  }

  function repeat(part: PatternNode, least: number, most: number, next: number): number {
    let start = next;
    let copies = least;
    if (most === Number.POSITIVE_INFINITY) {
      const targets: number[] = [];
      const loop = add({ kind: "split", targets });
      const again = build(part, loop);
      targets.push(again, next);
      start = least > 0 ? again : loop;
      copies = Math.max(0, least - 1);
    } else {
      // Each optional copy stands inside the one before it: after so many characters the automaton is in one place.
      for (let i = least; i < most; i++) start = add({ kind: "split", targets: [build(part, start), next] });
    }
    for (let i = 0; i < copies; i++) start = build(part, start);
    return start;
  }

  const start = build(pattern, 0);
  const words = steps.some((step) => step.kind === "assertion" && /Edge$/.test(step.assertion));
  return { steps, start, sets, words };
}
