/**
 * `json ->> 'name'` over JSON in text columns, as bronze keeps unknown fields in `_extra`: one pass over the text, without
 * recursion. The text of a number is what DuckDB's reader (yyjson) writes again, and an object or list comes without the
 * spaces between.
 */
import { ModelValueError } from "../ir/errors.ts";

/** A step into an object, by name, or into a list, by place. */
export type JsonStep = string | number;

const SPACES = new Set([" ", "\t", "\n", "\r"]);
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Containers may stand in each other so deep: more is refused, so that the stack of them stays small. */
const MAX_DEPTH = 1000;

/** Whether a run of plain characters of a string ends at this UTF-16 unit: a quote, a backslash or a control character. */
function endsRun(unit: number): boolean {
  return unit === 0x22 || unit === 0x5c || unit < 0x20;
}

/** Reads tokens; everything that is no JSON throws `ModelValueError`. The text is not quoted: it may be personal. */
class Reader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(): never {
    throw new ModelValueError(`a text of ${this.text.length} characters is no JSON, at character ${this.at + 1}`);
  }

  /** The next character that is no space, which is not taken. */
  peek(): string {
    while (SPACES.has(this.text[this.at] ?? "")) this.at++;
    return this.text[this.at] ?? "";
  }

  take(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at++;
    return true;
  }

  /** The object or list that begins here; undefined when none does. */
  enter(): Container | undefined {
    const first = this.peek();
    if (first !== "{" && first !== "[") return undefined;
    this.at++;
    return { list: first === "[", count: 0 };
  }

  /** The name or place of the container's next member, whose value is read next; undefined at its end. */
  member(container: Container): JsonStep | undefined {
    const first = container.count === 0;
    if (this.take(container.list ? "]" : "}")) return undefined;
    if (!first && !this.take(",")) this.fail();
    container.count++;
    if (container.list) return container.count - 1;
    const name = this.string();
    if (!this.take(":")) this.fail();
    return name;
  }

  string(): string {
    if (!this.take('"')) this.fail();
    let out = "";
    for (;;) {
      const from = this.at;
      while (this.at < this.text.length && !endsRun(this.text.charCodeAt(this.at))) this.at++;
      out += this.text.slice(from, this.at);
      const character = this.text[this.at++];
      if (character === '"') return out;
      if (character !== "\\") this.fail();
      out += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.text[this.at++] ?? "";
    const plain = ESCAPES[letter];
    if (plain !== undefined) return plain;
    if (letter !== "u") this.fail();
    const first = this.#unit();
    if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first);
    if (first > 0xdbff || this.text[this.at] !== "\\" || this.text[this.at + 1] !== "u") this.fail();
    this.at += 2;
    const second = this.#unit();
    if (second < 0xdc00 || second > 0xdfff) this.fail();
    return String.fromCharCode(first, second);
  }

  #unit(): number {
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail();
    this.at += 4;
    return Number.parseInt(digits, 16);
  }

  /** A number, `true`, `false` or `null`, as it is written again. */
  scalar(): string {
    for (const word of ["true", "false", "null"]) {
      if (!this.text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return word;
    }
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) this.fail();
    this.at += match[0].length;
    if (/\d/.test(this.text[this.at] ?? "")) this.fail();
    return numberText(match[0], match[1] !== undefined || match[2] !== undefined);
  }
}

/** Integers keep their digits; other numbers are written as the shortest that is the same double. */
function numberText(written: string, isReal: boolean): string {
  if (!isReal) return written === "-0" ? "0" : written;
  const value = Number(written);
  if (!Number.isFinite(value)) return written;
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text.replace("e+", "e") : `${text}.0`;
}

/** An open object or list, and how many of its members came so far. */
interface Container {
  readonly list: boolean;
  count: number;
}

/**
 * The text at the path, or undefined when there is nothing or null. A string is its characters; anything else its JSON.
 * Of members of one name the first counts. The whole text is read, so that what is no JSON is refused wherever it is wrong.
 */
export function jsonTextAt(text: string, path: readonly JsonStep[]): string | undefined {
  const reader = new Reader(text);
  const open: Container[] = [];
  let value: string | undefined;
  if (descend(reader, path, open)) {
    if (reader.peek() === '"') value = reader.string();
    else {
      const written = copyValue(reader);
      value = written === "null" ? undefined : written;
    }
  }
  for (const container of open.reverse()) while (reader.member(container) !== undefined) copyValue(reader);
  if (reader.peek() !== "") reader.fail();
  return value;
}

/** Goes to the value at the path: the containers on the way are left open. False, with all read that was entered, if there is none. */
function descend(reader: Reader, path: readonly JsonStep[], open: Container[]): boolean {
  for (const step of path) {
    const container = reader.enter();
    if (container === undefined || container.list !== (typeof step === "number")) {
      if (container === undefined) copyValue(reader);
      else open.push(container);
      return false;
    }
    open.push(container);
    let member = reader.member(container);
    while (member !== undefined && member !== step) {
      copyValue(reader);
      member = reader.member(container);
    }
    if (member === undefined) {
      open.pop();
      return false;
    }
  }
  return true;
}

/** Reads a value and gives it without the spaces between. */
function copyValue(reader: Reader): string {
  const open: Container[] = [];
  let out = "";
  for (;;) {
    const container = reader.enter();
    if (container !== undefined) {
      if (open.length === MAX_DEPTH) reader.fail();
      open.push(container);
      out += container.list ? "[" : "{";
    } else out += reader.peek() === '"' ? jsonString(reader.string()) : reader.scalar();
    for (;;) {
      const last = open.at(-1);
      if (last === undefined) return out;
      const member = reader.member(last);
      if (member !== undefined) {
        if (last.count > 1) out += ",";
        if (typeof member === "string") out += `${jsonString(member)}:`;
        break;
      }
      out += last.list ? "]" : "}";
      open.pop();
    }
  }
}

const SHORT: Readonly<Record<string, string>> = { "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function jsonString(text: string): string {
  const escaped = text.replace(/["\\\p{Cc}]/gu, (character) => {
    const code = character.charCodeAt(0);
    if (code > 0x1f) return code < 0x7f ? `\\${character}` : character;
    return SHORT[character] ?? `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`;
  });
  return `"${escaped}"`;
}
