/** Reads a backslash and the characters behind it, in ECMA-262's dialect and in RE2's. */
import type { PatternReader } from "./reader.ts";
import { charSet, complement, DIGIT, ECMA_SPACE, propertySet, RE2_SPACE, WORD } from "./sets.ts";
import type { CharSet } from "./syntax.ts";

export type Dialect = "ecma" | "re2";

/** A pattern's part for one character of a text: a set, or one character, which then is `point`. */
export interface Item {
  readonly set: CharSet;
  readonly point?: number;
}

export function character(point: number): Item {
  return { set: charSet(point), point };
}

const CONTROLS: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, v: 0x0b, f: 0x0c, r: 0x0d };

/** Escapes of other dialects, and what to write here. */
const FOREIGN: Readonly<Record<string, string>> = {
  A: "^ for the start of the text",
  Z: "$ for the end of the text",
  z: "$ for the end of the text",
  a: "\\x07",
  e: "\\x1b",
  h: "[ \\t]",
  Q: "a backslash before each character that has a meaning of its own",
};

/** ECMA-262, SyntaxCharacter and "/": what a backslash may stand before with the flag u. */
const SYNTAX = /^[\^$\\.*+?()[\]{}|/]$/;

/**
 * A set of characters, or one character; the backslash was read. In a class some escapes mean something else, and the
 * caller has looked after those that are no character (`\b`).
 */
export function readEscape(reader: PatternReader, dialect: Dialect, inClass: boolean): Item {
  const start = reader.at - 1;
  const char = reader.next();
  switch (char) {
    case "":
      return reader.fail("it ends with a backslash: write \\\\ for one");
    case "d":
      return { set: DIGIT };
    case "D":
      return { set: complement(DIGIT) };
    case "w":
      return { set: WORD };
    case "W":
      return { set: complement(WORD) };
    case "s":
    case "S": {
      const space = dialect === "ecma" ? ECMA_SPACE : RE2_SPACE;
      return { set: char === "s" ? space : complement(space) };
    }
    case "p":
    case "P":
      return { set: readProperty(reader, dialect, char === "P") };
  }
  const control = CONTROLS[char];
  if (control !== undefined) return character(control);
  if (char === "x") return character(readHex(reader, dialect));
  if (/[0-9]/.test(char)) return character(readDigits(reader, char, dialect));
  return dialect === "ecma" ? ecmaCharacter(reader, char, start, inClass) : re2Character(reader, char);
}

function ecmaCharacter(reader: PatternReader, char: string, start: number, inClass: boolean): Item {
  if (char === "u") return character(readUnicode(reader));
  if (char === "c") {
    const letter = reader.match(/[A-Za-z]/y);
    if (letter === null) reader.fail("\\c is followed by a letter");
    return character(letter[0].charCodeAt(0) % 32);
  }
  if (char === "k") reader.fail("\\k repeats what a group matched, which cannot be run in linear time");
  if (/[A-Za-z]/.test(char)) {
    const remedy = FOREIGN[char];
    return reader.fail(`\\${char} is no escape of ECMA-262${remedy === undefined ? "" : `: write ${remedy}`}`);
  }
  // Without the flag u a backslash before any other character means that character; with it, it is an error.
  if (!SYNTAX.test(char) && !(inClass && char === "-")) reader.rewrite(start, char);
  return character(char.codePointAt(0) ?? 0);
}

function re2Character(reader: PatternReader, char: string): Item {
  if (char === "a") return character(0x07);
  if (/[A-Za-z]/.test(char) || (char.codePointAt(0) ?? 0) > 0x7f) reader.fail(`\\${char} is no escape of RE2`);
  return character(char.codePointAt(0) ?? 0);
}

function readHex(reader: PatternReader, dialect: Dialect): number {
  const braced = dialect === "re2" ? reader.match(/\{([0-9A-Fa-f]{1,8})\}/y) : null;
  const digits = braced?.[1] ?? reader.match(/[0-9A-Fa-f]{2}/y)?.[0];
  if (digits === undefined) return reader.fail("\\x is followed by two hexadecimal digits");
  return pointOf(reader, digits);
}

function readDigits(reader: PatternReader, first: string, dialect: Dialect): number {
  const octal = dialect === "re2" ? reader.match(first === "0" ? /[0-7]{0,2}/y : /[0-7]{2}/y) : null;
  if (octal !== null && first < "8") return Number.parseInt(first + octal[0], 8);
  if (first !== "0") reader.fail(`\\${first} repeats what a group matched, which cannot be run in linear time`);
  if (reader.match(/[0-9]/y) !== null)
    reader.fail("octal escapes are not supported: write \\x and two hexadecimal digits");
  return 0;
}

function readUnicode(reader: PatternReader): number {
  const braced = reader.match(/\{([0-9A-Fa-f]+)\}/y)?.[1];
  if (braced !== undefined) return pointOf(reader, braced);
  const pair = reader.match(/([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})/y);
  if (pair !== null) {
    const [high, low] = [Number.parseInt(pair[1] ?? "", 16), Number.parseInt(pair[2] ?? "", 16)];
    return (high - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000;
  }
  const digits = reader.match(/[0-9A-Fa-f]{4}/y)?.[0];
  if (digits === undefined) return reader.fail("\\u is followed by four hexadecimal digits, or by some in braces");
  return Number.parseInt(digits, 16);
}

function pointOf(reader: PatternReader, digits: string): number {
  const point = Number.parseInt(digits, 16);
  return point <= 0x10ffff ? point : reader.fail(`there is no character ${digits}`);
}

function readProperty(reader: PatternReader, dialect: Dialect, negated: boolean): CharSet {
  const braced = reader.match(/\{(\^?)([A-Za-z0-9_=]+)\}/y);
  const short = braced === null && dialect === "re2" ? reader.match(/[A-Z]/y)?.[0] : undefined;
  const name = braced?.[2] ?? short;
  if (name === undefined || (dialect === "ecma" && braced?.[1] === "^"))
    return reader.fail("\\p is followed by a Unicode property in braces, such as \\p{L}");
  const set = propertySet(name) ?? (dialect === "re2" ? propertySet(`Script=${name}`) : undefined);
  if (set === undefined) return reader.fail(`there is no Unicode property ${name}`);
  return negated !== (braced?.[1] === "^") ? complement(set) : set;
}
