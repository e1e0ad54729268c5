/**
 * What an event has beyond its schema, in the two texts that travel beside it in an `Envelope` (`codecs.ts`), and the way
 * back: typed values + `extra` + `lexical` = the event as it was sent.
 *
 * `extra` is JSON of the fields that the schema does not know, in the same nesting as the event. An array on the way stands
 * as an array with `{}` for each earlier item that has nothing extra; later items are left out:
 *
 *     {"order_id": "o", "x": 1, "items": [{"sku": "a"}, {"sku": "b", "y": 2}, {"sku": "c"}]}
 *     extra = {"x": 1, "items": [{}, {"y": 2}]}
 *
 * A key of `extra` that the schema knows leads to nested unknown fields; any other is an unknown field with its whole value.
 *
 * `lexical` is a flat JSON object from a JSON pointer (RFC 6901) to the value as it was sent, for typed values that the
 * column would give back in another form: null where the canonical form is absence, a time with an offset, a decimal as text, a fraction with more
 * digits than the double that stands for it.
 */
import { isRawNumber, parseExactJson } from "./exact-json.ts";

/** The unknown field that holds a CloudEvent's attributes (gateway/bodies/cloudevents.ts): ours, not the producer's. */
export const ATTRIBUTES_FIELD = "_cloudevent";

export type Path = readonly (string | number)[];

type Json = Record<string, unknown>;

/** The JSON pointer of a path: `["items", 0, "a/b"]` is `/items/0/a~1b`. */
export function pointerOf(path: Path): string {
  let pointer = "";
  for (const part of path) pointer += `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return pointer;
}

/** Whether a value is a JSON object: not null, not an array, not a number kept as text. */
export function isJsonObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

/** Collects the residue of one event. */
export interface ResidueWriter {
  /** An unknown field `key` of the record at `path`. */
  addExtra(path: Path, key: string, value: unknown): void;
  /** The value sent at `path`, which the typed column would give back otherwise. */
  addLexical(path: Path, value: unknown): void;
  /** Both texts; null where there is nothing to keep. */
  finish(): { readonly extra: string | null; readonly lexical: string | null };
}

export function createResidueWriter(): ResidueWriter {
  // Without a prototype, so that `__proto__` is a key like any other.
  const extra: Json = Object.create(null);
  const lexical: Json = Object.create(null);
  return {
    addExtra(path, key, value) {
      containerAt(extra, path)[key] = value;
    },
    addLexical(path, value) {
      lexical[pointerOf(path)] = value;
    },
    finish() {
      return { extra: textOf(extra), lexical: textOf(lexical) };
    },
  };
}

function textOf(value: Json): string | null {
  for (const _key in value) return JSON.stringify(value);
  return null;
}

// A path alternates as the schema does: after a name comes an object or, before a number, an array.
function containerAt(root: Json, path: Path): Json {
  let container: Json | unknown[] = root;
  path.forEach((part, depth) => {
    const next = existing(container, part) ?? (typeof path[depth + 1] === "number" ? [] : Object.create(null));
    if (Array.isArray(container) && typeof part === "number") {
      while (container.length < part) container.push({});
      container[part] = next;
    } else if (!Array.isArray(container)) {
      container[part] = next;
    }
    container = next;
  });
  if (Array.isArray(container)) throw new Error("a path to a record ends at a record");
  return container;
}

function existing(container: Json | unknown[], part: string | number): Json | unknown[] | undefined {
  const value: unknown = Array.isArray(container) ? container[Number(part)] : container[String(part)];
  if (Array.isArray(value)) return value;
  return isJsonObject(value) ? value : undefined;
}

/**
 * The event as it was sent, from its typed JSON form (absent fields absent, not null) and the residue of its envelope.
 * The argument is not changed. Numbers that no double holds come back as `RawNumber`, so that `JSON.stringify` is exact.
 */
export function applyResidue(event: unknown, extra: string | null, lexical: string | null): unknown {
  let result = extra === null ? event : mergeExtra(event, parseExactJson(extra));
  const texts = lexical === null ? undefined : parseExactJson(lexical);
  if (!isJsonObject(texts)) return result;
  for (const pointer of Object.keys(texts)) result = withValueAt(result, partsOf(pointer), 0, texts[pointer]);
  return result;
}

function mergeExtra(typed: unknown, extra: unknown): unknown {
  if (Array.isArray(typed) && Array.isArray(extra)) {
    return typed.map((item: unknown, index) => (index < extra.length ? mergeExtra(item, extra[index]) : item));
  }
  if (!isJsonObject(typed) || !isJsonObject(extra)) return typed;
  const merged = copyOf(typed);
  for (const key of Object.keys(extra)) {
    setOwn(merged, key, Object.hasOwn(typed, key) ? mergeExtra(typed[key], extra[key]) : extra[key]);
  }
  return merged;
}

function withValueAt(target: unknown, parts: readonly string[], depth: number, value: unknown): unknown {
  const part = parts[depth];
  if (part === undefined) return value;
  if (Array.isArray(target)) {
    const copy: unknown[] = [...target];
    copy[Number(part)] = withValueAt(copy[Number(part)], parts, depth + 1, value);
    return copy;
  }
  const copy = isJsonObject(target) ? copyOf(target) : {};
  setOwn(copy, part, withValueAt(Object.hasOwn(copy, part) ? copy[part] : undefined, parts, depth + 1, value));
  return copy;
}

function partsOf(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function copyOf(value: Json): Json {
  const copy: Json = {};
  for (const key of Object.keys(value)) setOwn(copy, key, value[key]);
  return copy;
}

// Assignment to `__proto__` would set the prototype instead.
function setOwn(target: Json, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
