/** Values as error details show them: short whatever they are. */
import { isRawNumber } from "../../schemas/exact-json.ts";
import type { Disclosure } from "./plan.ts";

/** DESIGN section 4's dead letters hold up to 50 details: 100 characters of a value keep them far below a message. */
const MAX_VALUE = 100;
const MAX_POINTER = 200;
const MAX_DEPTH = 4;

/** At most `length` characters of a text, well formed, with an ellipsis where it was cut. */
export function cut(text: string, length: number): string {
  return (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed();
}

/** A pointer as verdicts and dead letters name it: a key of a megabyte must not make one of a megabyte. */
export function shortPointer(pointer: string): string {
  return cut(pointer, MAX_POINTER);
}

/** What a value is, in JSON's words, with an excerpt: `the string "abc"`, `an object {"a":1}`. */
export function excerpt(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return `${kindOf(value)} ${cut(textOf(value, 0), MAX_VALUE)}`;
}

/** The same as far as it may be shown; only its kind where it may not: `a masked value (string)`. */
export function disclose(value: unknown, disclosure: Disclosure): string {
  const isScalar = typeof value !== "object" || value === null || isRawNumber(value);
  if (disclosure === "any" || (disclosure === "scalars" && isScalar) || value === undefined || value === null) {
    return excerpt(value);
  }
  return `a masked value (${kindOf(value).slice("the ".length)})`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "the array";
  if (typeof value === "number" || isRawNumber(value)) return "the number";
  return `the ${typeof value}`;
}

// Like JSON.stringify, but it stops: a value may be megabytes long or thousands of levels deep.
function textOf(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, MAX_VALUE));
  if (isRawNumber(value)) return value.rawJSON;
  if (typeof value !== "object" || value === null) return String(value);
  if (depth === MAX_DEPTH) return "…";
  const array = Array.isArray(value);
  let text = "";
  for (const key of Object.keys(value).slice(0, MAX_VALUE)) {
    const member: unknown = Reflect.get(value, key);
    const body = textOf(member, depth + 1);
    text += `${text === "" ? "" : ","}${array ? body : `${JSON.stringify(key.slice(0, MAX_VALUE))}:${body}`}`;
    if (text.length > MAX_VALUE) break;
  }
  return array ? `[${text}]` : `{${text}}`;
}
