/**
 * Patterns to trees, in two dialects: ECMA-262 (`pattern` in a contract, as the Open Data Contract Standard and JSON Schema
 * have it) and RE2 (`matches` in a rule, as the Common Expression Language has it). What either has beyond regular languages
 * is refused with what to write instead, so that every pattern can be run in linear time.
 */
import { character, type Dialect, type Item, readEscape } from "./escapes.ts";
import { PatternReader } from "./reader.ts";
import { ANY, charSet, complement, ECMA_DOT, POSIX, RE2_DOT, rangeSet, union, withoutCase } from "./sets.ts";
import { type Assertion, type CharSet, type ParsedPattern, type PatternNode, PatternProblem } from "./syntax.ts";

/** Throws a PatternProblem for a text that is no pattern of the dialect, or more than a regular one. */
export function parsePattern(text: string, dialect: Dialect): ParsedPattern {
  const parser = new Parser(text, dialect);
  const parsed = parser.pattern();
  if (dialect === "re2") return parsed;
  try {
    new RegExp(parsed.source, "u");
  } catch (error) {
    throw new PatternProblem(error instanceof Error ? error.message : String(error));
  }
  return parsed;
}

interface Flags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

const QUANTIFIER = /[*+?]|\{(\d+)(,(\d*))?\}/y;
/** RE2's limit; a repeat is written out in the automaton. */
const MAX_REPEAT = 1_000;
const LOOKAROUND = "it cannot be run in linear time: say it in a record rule";

class Parser {
  readonly #reader: PatternReader;
  readonly #dialect: Dialect;
  #flags: Flags = { ignoreCase: false, dotAll: false };

  constructor(text: string, dialect: Dialect) {
    this.#reader = new PatternReader(text);
    this.#dialect = dialect;
  }

  pattern(): ParsedPattern {
    const reader = this.#reader;
    const lookaheads: { body: PatternNode; negated: boolean }[] = [];
    const looksAhead = this.#dialect === "ecma" && /^\^\(\?[=!]/.test(reader.text);
    if (looksAhead) reader.take("^");
    while (looksAhead && (reader.text.startsWith("(?=", reader.at) || reader.text.startsWith("(?!", reader.at))) {
      const negated = reader.take("(?!");
      if (!negated) reader.take("(?=");
      const body = this.#alternatives();
      if (!reader.take(")")) reader.fail("a bracket ( is not closed");
      if (reader.match(QUANTIFIER) !== null) reader.fail("a lookahead cannot be repeated");
      lookaheads.push({ body: anchored(body), negated });
    }
    const body = this.#alternatives();
    if (!reader.done) reader.fail("a bracket ) closes nothing: write \\) for one");
    if (!looksAhead) return { body, lookaheads, source: reader.source };
    if (body.kind === "choice") reader.fail("a lookahead before alternatives: put the alternatives in a group");
    return { body: anchored(body), lookaheads, source: reader.source };
  }

  #alternatives(): PatternNode {
    const flags = this.#flags;
    const options = [this.#sequence()];
    while (this.#reader.take("|")) options.push(this.#sequence());
    this.#flags = flags;
    const [only] = options;
    return only !== undefined && options.length === 1 ? only : { kind: "choice", options };
  }

  #sequence(): PatternNode {
    const reader = this.#reader;
    const parts: PatternNode[] = [];
    while (!reader.done && reader.peek() !== "|" && reader.peek() !== ")") {
      const atom = this.#atom();
      if (atom !== undefined) parts.push(this.#repeated(atom));
    }
    return { kind: "sequence", parts };
  }

  #repeated(part: PatternNode): PatternNode {
    const reader = this.#reader;
    const quantifier = reader.match(QUANTIFIER);
    if (quantifier === null) {
      if (reader.match(/\{,\d+\}/y) !== null) reader.fail("a repeat has its least number too: write {0,5} for {,5}");
      return part;
    }
    const { least, most } = timesOf(quantifier);
    if (part.kind === "assertion") reader.fail(`${quantifier[0]} repeats what has no characters`);
    if (most < least) reader.fail(`${quantifier[0]} has its numbers the wrong way round`);
    if (this.#dialect === "re2" && (least > MAX_REPEAT || (most > MAX_REPEAT && Number.isFinite(most))))
      reader.fail(`${quantifier[0]} repeats more than ${MAX_REPEAT} times`);
    const lazy = reader.take("?");
    if (!lazy && reader.peek() === "+") reader.fail("possessive repeats (a++) are not supported: write one sign");
    if (reader.match(QUANTIFIER) !== null) reader.fail("a repeat is repeated: put the inner one in a group");
    return { kind: "repeat", part, least, most };
  }

  /** Undefined for flags that hold from here on. */
  #atom(): PatternNode | undefined {
    const reader = this.#reader;
    const start = reader.at;
    const char = reader.next();
    switch (char) {
      case "^":
        return assertion("start");
      case "$":
        return assertion("end");
      case ".":
        if (this.#flags.dotAll) return { kind: "set", set: ANY };
        return { kind: "set", set: this.#dialect === "ecma" ? ECMA_DOT : RE2_DOT };
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", set: this.#class() };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        return reader.fail(`nothing stands before ${char} that it could repeat: write \\${char} for the character`);
      case "{":
        if (/^\d+(,\d*)?\}/.test(reader.text.slice(reader.at)))
          reader.fail("nothing stands before { that it could repeat: write \\{ for the character");
        break;
    }
    // Without the flag u these stand for themselves where they close or repeat nothing.
    if (this.#dialect === "ecma" && /[{}\]]/.test(char)) reader.rewrite(start, `\\${char}`);
    return { kind: "set", set: this.#folded(character(char.codePointAt(0) ?? 0)) };
  }

  #escape(): PatternNode {
    const reader = this.#reader;
    if (reader.take("b")) return assertion("wordEdge");
    if (reader.take("B")) return assertion("noWordEdge");
    if (this.#dialect === "re2") {
      if (reader.take("A")) return assertion("start");
      if (reader.take("z")) return assertion("end");
      if (reader.take("C")) reader.fail("\\C is a byte, and a text has characters: write (?s:.)");
      if (reader.take("Q")) return this.#quoted();
    }
    return { kind: "set", set: this.#folded(readEscape(reader, this.#dialect, false)) };
  }

  /** `\Q...\E`: what is between them, literally. */
  #quoted(): PatternNode {
    const reader = this.#reader;
    const parts: PatternNode[] = [];
    while (!reader.done && !reader.take("\\E")) {
      parts.push({ kind: "set", set: this.#folded(character(reader.next().codePointAt(0) ?? 0)) });
    }
    return { kind: "sequence", parts };
  }

  #group(): PatternNode | undefined {
    const reader = this.#reader;
    if (reader.take("?=") || reader.take("?!")) {
      reader.fail(
        this.#dialect === "ecma"
          ? `a lookahead stands only at the beginning, right behind ^; elsewhere ${LOOKAROUND}`
          : `RE2 has no lookahead: ${LOOKAROUND}`,
      );
    }
    if (reader.take("?<=") || reader.take("?<!")) reader.fail(`a lookbehind is not supported: ${LOOKAROUND}`);
    const outer = this.#flags;
    if (reader.take("?")) {
      const named = this.#dialect === "re2" ? /P?<[A-Za-z_]\w*>/y : /<[A-Za-z_$][\w$]*>/y;
      if (reader.match(named) === null && this.#readFlags() === "rest") return undefined;
    }
    const body = this.#alternatives();
    this.#flags = outer;
    if (!reader.take(")")) reader.fail("a bracket ( is not closed: write \\( for one");
    return body;
  }

  /** Behind `(?`: whether flags hold for the group, or for what follows it. */
  #readFlags(): "group" | "rest" {
    const reader = this.#reader;
    const read = reader.match(/([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/y);
    if (read === null) return reader.fail("(? is followed by : for a group, or <name> for a named one");
    const [, on = "", off = "", end] = read;
    const known = this.#dialect === "re2" ? /^[isU]*$/ : /^[is]*$/;
    if (!known.test(on) || !known.test(off)) reader.fail(`of the flags ${on}${off} only i and s are supported`);
    if (end === ")" && this.#dialect === "ecma") reader.fail(`flags hold for a group: write (?${on}:...)`);
    const set = (flag: string, before: boolean): boolean => (on.includes(flag) || before) && !off.includes(flag);
    this.#flags = { ignoreCase: set("i", this.#flags.ignoreCase), dotAll: set("s", this.#flags.dotAll) };
    return end === ":" ? "group" : "rest";
  }

  #folded({ set, point }: Item): CharSet {
    if (!this.#flags.ignoreCase) return set;
    this.#checkCase(point);
    return withoutCase(set);
  }

  #checkCase(point: number | undefined): void {
    if (this.#flags.ignoreCase && point !== undefined && point > 0x7f)
      this.#reader.fail("without regard to case only characters of ASCII can be matched: write both cases");
  }

  #class(): CharSet {
    const reader = this.#reader;
    const negated = reader.take("^");
    const sets: CharSet[] = [];
    const isFirst = (): boolean => this.#dialect === "re2" && sets.length === 0;
    while (!reader.done && (reader.peek() !== "]" || isFirst())) sets.push(this.#classItem());
    if (!reader.take("]")) reader.fail("a bracket [ is not closed: write \\[ for one");
    const set = union(this.#flags.ignoreCase ? sets.map(withoutCase) : sets);
    return negated ? complement(set) : set;
  }

  /** A character, a range or a set of a class. */
  #classItem(): CharSet {
    const reader = this.#reader;
    const posix = reader.match(/\[:(\^?)(\w+):\]/y);
    if (posix !== null) return this.#posix(posix[1] === "^", posix[2] ?? "");
    const low = this.#classCharacter();
    const hyphen = reader.at;
    const behind = reader.text[hyphen + 1];
    if (behind === "]" || behind === undefined || !reader.take("-")) return low.set;
    const afterHyphen = reader.at;
    const high = this.#classCharacter();
    if (low.point !== undefined && high.point !== undefined) {
      if (high.point < low.point)
        reader.fail(`a range of [...] ends before it begins, at ${reader.text.slice(hyphen)}`);
      return rangeSet([low.point, high.point]);
    }
    // `[\w-.]`: a hyphen beside a set stands for itself, and is written so with the flag u.
    if (this.#dialect === "re2") reader.fail("a range stands between two characters: write \\- for the hyphen");
    const end = reader.at;
    reader.at = afterHyphen;
    reader.rewrite(hyphen, "\\-");
    reader.at = end;
    return union([low.set, charSet(0x2d), high.set]);
  }

  #posix(negated: boolean, name: string): CharSet {
    const set = POSIX.get(name);
    if (this.#dialect === "ecma")
      return this.#reader.fail(`[:${name}:] is no class of ECMA-262: write its characters, such as a-z`);
    if (set === undefined) return this.#reader.fail(`there is no class [:${name}:]`);
    return negated ? complement(set) : set;
  }

  #classCharacter(): Item {
    const reader = this.#reader;
    const char = reader.next();
    const item = char === "\\" ? this.#classEscape() : character(char.codePointAt(0) ?? 0);
    this.#checkCase(item.point);
    return item;
  }

  #classEscape(): Item {
    const reader = this.#reader;
    if (reader.take("B")) reader.fail("\\B is no character of a class");
    if (!reader.take("b")) return readEscape(reader, this.#dialect, true);
    return this.#dialect === "ecma" ? character(0x08) : reader.fail("\\b is no character of a class: write \\x08");
  }
}

function timesOf(quantifier: RegExpExecArray): { readonly least: number; readonly most: number } {
  const [sign, least, comma, most] = quantifier;
  if (sign === "?") return { least: 0, most: 1 };
  if (least === undefined) return { least: sign === "+" ? 1 : 0, most: Number.POSITIVE_INFINITY };
  if (comma === undefined) return { least: Number(least), most: Number(least) };
  return { least: Number(least), most: most === "" ? Number.POSITIVE_INFINITY : Number(most) };
}

function assertion(kind: Assertion): PatternNode {
  return { kind: "assertion", assertion: kind };
}

function anchored(body: PatternNode): PatternNode {
  return { kind: "sequence", parts: [assertion("start"), body] };
}
