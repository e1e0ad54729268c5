/**
 * A short text that a contract's `pattern` matches, for example events. It reads the part of regular expressions that
 * contracts use: literals, escapes, classes, groups, alternatives and quantifiers. What it makes is tried against the pattern
 * itself, so that a construct it misreads ends as "none found", never as a wrong example.
 */

export interface TextBounds {
  /** In code points; generated texts are ASCII, so in characters. */
  readonly minLength: number;
  readonly maxLength: number;
}

/** A repeat that may grow (`+`, `*`, `{2,}`) grows at most by this much to reach the least length. */
const MAX_GROWTH = 64;

/** A text that matches and fits the bounds; undefined if none was found. Throws a SyntaxError if the pattern is no regular expression. */
export function patternText(pattern: string, bounds: TextBounds): string | undefined {
  const expression = new RegExp(pattern, "u");
  for (let growth = 0; growth <= MAX_GROWTH; growth++) {
    const text = new Generator(pattern, growth).alternatives();
    if (text === undefined) return undefined;
    if (expression.test(text) && text.length >= bounds.minLength && text.length <= bounds.maxLength) return text;
  }
  return undefined;
}

const CANDIDATES = "a0A _-./:x1X";

/** A recursive descent over the pattern that writes instead of matching; undefined stands for "not understood". */
class Generator {
  readonly #pattern: string;
  readonly #growth: number;
  #at = 0;

  constructor(pattern: string, growth: number) {
    this.#pattern = pattern;
    this.#growth = growth;
  }

  /** Reads `a|b|c` up to a closing bracket or the end; writes the first. */
  alternatives(): string | undefined {
    const first = this.#sequence();
    while (this.#take("|")) if (this.#sequence() === undefined) return undefined;
    return first;
  }

  #sequence(): string | undefined {
    let text = "";
    while (this.#at < this.#pattern.length && !"|)".includes(this.#peek())) {
      const atom = this.#atom();
      if (atom === undefined) return undefined;
      text += atom.repeat(this.#times());
    }
    return text;
  }

  #atom(): string | undefined {
    const char = this.#next();
    switch (char) {
      case "^":
      case "$":
        return "";
      case ".":
        return "x";
      case "(":
        return this.#group();
      case "[":
        return this.#class();
      case "\\":
        return escaped(this.#next())?.[0];
      default:
        return char;
    }
  }

  #group(): string | undefined {
    // (?:...) is a group; look-arounds and names are not understood.
    if (this.#take("?") && !this.#take(":")) return undefined;
    const text = this.alternatives();
    return this.#take(")") ? text : undefined;
  }

  #class(): string | undefined {
    const start = this.#at;
    const negated = this.#take("^");
    let first: string | undefined;
    while (this.#at < this.#pattern.length && this.#peek() !== "]") {
      const char = this.#next();
      first ??= char === "\\" ? escaped(this.#peek())?.[0] : char;
      if (char === "\\") this.#next();
    }
    if (!this.#take("]")) return undefined;
    if (!negated) return first;
    const members = new RegExp(`[${this.#pattern.slice(start, this.#at)}`, "u");
    return [...CANDIDATES].find((candidate) => members.test(candidate));
  }

  /** Reads a quantifier, if one follows: how often the atom is written. */
  #times(): number {
    if (this.#take("?")) return this.#lazy(0, 1);
    if (this.#take("*")) return this.#lazy(0, Number.POSITIVE_INFINITY);
    if (this.#take("+")) return this.#lazy(1, Number.POSITIVE_INFINITY);
    const match = /^\{(\d+)(,(\d*))?\}/.exec(this.#pattern.slice(this.#at));
    if (match === null) return 1;
    this.#at += match[0].length;
    const least = Number(match[1]);
    if (match[2] === undefined) return this.#lazy(least, least);
    return this.#lazy(least, match[3] === "" ? Number.POSITIVE_INFINITY : Number(match[3]));
  }

  #lazy(least: number, most: number): number {
    this.#take("?");
    return Math.min(least + this.#growth, most);
  }

  #peek(): string {
    return this.#pattern.charAt(this.#at);
  }

  #next(): string {
    return this.#pattern.charAt(this.#at++);
  }

  #take(char: string): boolean {
    if (this.#peek() !== char || char === "") return false;
    this.#at++;
    return true;
  }
}

/** What an escape stands for: one character of its class; undefined for what is not understood (back references, properties). */
function escaped(char: string): string | undefined {
  if (char === "d") return "0";
  if (char === "w" || char === "D" || char === "S") return "a";
  if (char === "s" || char === "W") return " ";
  if (char === "b") return undefined;
  return /[a-zA-Z0-9]/.test(char) || char === "" ? undefined : char;
}
