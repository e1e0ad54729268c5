/**
 * Patterns run: a deterministic automaton that is made state by state, as texts ask for it (Cox, "Regular Expression Matching
 * Can Be Simple And Fast", 2007). A text is read once, and a character costs the same whatever stands before and behind it:
 * no text of a producer makes a pattern slow.
 */
import type { Automaton } from "./automaton.ts";
import { WORD } from "./sets.ts";
import type { Assertion } from "./syntax.ts";

/** What stands before a place in a text, as far as assertions ask. */
type Before = "start" | "word" | "other";

/** A state of the deterministic automaton: where the other one may be before it reads a character. */
export interface State {
  readonly kernel: readonly number[];
  readonly before: Before;
  /** Whether a text that ends here matches. */
  readonly matched: boolean;
  /** Whether that is so whatever follows. */
  readonly decided: boolean;
  /** By class of character. */
  readonly next: (State | undefined)[];
}

const MATCHED: State = { kernel: [], before: "other", matched: true, decided: true, next: [] };
const FAILED: State = { kernel: [], before: "other", matched: false, decided: true, next: [] };

const ASCII = 128;
/** Classes of characters outside of ASCII that are remembered by character. */
const MAX_REMEMBERED = 4_096;

export class Matcher {
  readonly #automaton: Automaton;
  readonly #maxStates: number;
  readonly #ascii: Uint16Array;
  readonly #others = new Map<number, number>();
  readonly #classes = new Map<string, number>();
  /** By class: which sets have its characters. */
  readonly #members: (readonly boolean[])[] = [];
  readonly #states = new Map<string, State>();
  /** Whether the pattern may begin behind the text's first character. */
  readonly #beginsLater: boolean;
  readonly #start: State;

  /** At most `maxStates` are kept; with more they are made again and again, which is slow (`explore` knows before). */
  constructor(automaton: Automaton, maxStates: number) {
    const { sets, words } = automaton;
    this.#automaton = words ? { ...automaton, sets: [...sets, WORD] } : automaton;
    this.#maxStates = maxStates;
    this.#ascii = Uint16Array.from({ length: ASCII }, (_, point) => this.#newClassOf(point));
    const start = [automaton.start];
    this.#beginsLater = (["word", "other"] as const).some(
      (before) => this.#goesOn(start, before) || this.#reachable(start, before, undefined).matched,
    );
    this.#start = this.#stateOf(start, "start");
  }

  /** Whether the pattern matches somewhere in the text. */
  test(text: string): boolean {
    const ascii = this.#ascii;
    const { length } = text;
    let state = this.#start;
    for (let at = 0; at < length; at++) {
      if (state.decided) return state.matched;
      const unit = text.charCodeAt(at);
      let group = 0;
      if (unit < ASCII) group = ascii[unit] ?? 0;
      else {
        const point = text.codePointAt(at) ?? unit;
        if (point > 0xffff) at++;
        group = this.#classOf(point);
      }
      state = state.next[group] ?? this.#advance(state, group);
    }
    return state.matched;
  }

  /** Where a text begins. */
  get start(): State {
    return this.#start;
  }

  /** The state behind one more character. */
  after(state: State, point: number): State {
    if (state.decided) return state;
    const group = this.#classOf(point);
    return state.next[group] ?? this.#advance(state, group);
  }

  /** At least one character of each class that the pattern tells apart. */
  characters(): readonly number[] {
    const edges = this.#automaton.sets.flatMap((set) => [...set.edges()]);
    return [...new Set([0, ...edges])].filter((point) => point <= 0x10ffff);
  }

  /** All states made: whether there are at most `maxStates`, and whether any text matches. */
  explore(): { readonly fits: boolean; readonly matches: boolean } {
    const classes = new Set(this.characters().map((point) => this.#classOf(point)));
    const open = [this.#start];
    let matches = false;
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      matches ||= state.matched;
      if (state.decided) continue;
      for (const group of classes) {
        if (state.next[group] !== undefined) continue;
        const known = this.#states.size;
        const next = this.#advance(state, group);
        if (this.#states.size < known) return { fits: false, matches };
        if (this.#states.size > known || next.decided) open.push(next);
      }
    }
    return { fits: this.#states.size <= this.#maxStates, matches };
  }

  #classOf(point: number): number {
    if (point < ASCII) return this.#ascii[point] ?? 0;
    let group = this.#others.get(point);
    if (group === undefined) {
      group = this.#newClassOf(point);
      if (this.#others.size >= MAX_REMEMBERED) this.#others.clear();
      this.#others.set(point, group);
    }
    return group;
  }

  #newClassOf(point: number): number {
    const members = this.#automaton.sets.map((set) => set.has(point));
    const key = members.map(Number).join("");
    let group = this.#classes.get(key);
    if (group === undefined) {
      group = this.#members.push(members) - 1;
      this.#classes.set(key, group);
    }
    return group;
  }

  #advance(state: State, group: number): State {
    const members = this.#members[group] ?? [];
    const { steps, start, words } = this.#automaton;
    const isWord = words && members.at(-1) === true;
    const { matched, reached } = this.#reachable(state.kernel, state.before, isWord);
    let next = MATCHED;
    if (!matched) {
      const kernel = new Set<number>();
      for (const place of reached) {
        const step = steps[place];
        if (step?.kind === "set" && members[step.set] === true) kernel.add(step.next);
      }
      if (this.#beginsLater) kernel.add(start);
      next = this.#stateOf(
        [...kernel].sort((a, b) => a - b),
        isWord ? "word" : "other",
      );
    }
    state.next[group] = next;
    return next;
  }

  /** The state of these places; those from which nothing can be read or matched do not count. */
  #stateOf(kernel: readonly number[], before: Before): State {
    const key = `${before} ${kernel.join(" ")}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const { matched } = this.#reachable(kernel, before, undefined);
    const continues = this.#beginsLater || this.#goesOn(kernel, before);
    let state = matched || continues ? { kernel, before, matched, decided: false, next: [] } : FAILED;
    if (matched && [false, true].every((isWord) => this.#reachable(kernel, before, isWord).matched)) state = MATCHED;
    if (this.#states.size >= this.#maxStates) {
      this.#states.clear();
      // The start leads to all others.
      this.#start.next.length = 0;
    }
    this.#states.set(key, state);
    return state;
  }

  /** Whether from these places anything can be read, or matched in front of a character. */
  #goesOn(kernel: readonly number[], before: Before): boolean {
    return [false, true].some((isWord) => {
      const { matched, reached } = this.#reachable(kernel, before, isWord);
      return matched || reached.some((place) => this.#automaton.steps[place]?.kind === "set");
    });
  }

  /** Where the automaton may be before the next character, which `isWord` is of; undefined: the text ends here. */
  #reachable(
    kernel: readonly number[],
    before: Before,
    isWord: boolean | undefined,
  ): { readonly matched: boolean; readonly reached: readonly number[] } {
    const { steps } = this.#automaton;
    const holds: Record<Assertion, boolean> = {
      start: before === "start",
      end: isWord === undefined,
      wordEdge: (before === "word") !== (isWord === true),
      noWordEdge: (before === "word") === (isWord === true),
    };
    const seen = new Set<number>();
    const open = [...kernel];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      const step = steps[place];
      if (step === undefined || seen.has(place)) continue;
      seen.add(place);
      if (step.kind === "match") return { matched: true, reached: [] };
      if (step.kind === "split") open.push(...step.targets);
      else if (step.kind === "assertion" && holds[step.assertion]) open.push(step.next);
    }
    return { matched: false, reached: [...seen] };
  }
}
