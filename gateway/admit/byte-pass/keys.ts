/** Which field the next key of an object is, by comparing bytes. */
import { FAIL, type JsonInput, WORD } from "./byte-pass.ts";

export interface Keys {
  /**
   * The position in the schema of the field whose key, with its colon, stands at `at`; `FAIL` if none does. `before` is 1 + the
   * position of the field before it, or 0 at the beginning.
   */
  fieldAt(json: JsonInput, at: number, before: number): number;
  /** The length of each key in bytes, its quotes and colon included. */
  readonly lengths: readonly number[];
}

/**
 * `names` in the order of the schema. The field is guessed first, as in `field-values.ts`: it is the one that came next in the
 * object before this one. Where an optional field comes and goes, it is one of the next in the schema.
 */
export function compileKeys(names: readonly string[]): Keys {
  const keys = names.map(compileKey);
  const followers = Int32Array.from([0, ...names.map((_name, position) => position + 1)]);
  return {
    lengths: keys.map((key) => key.length),
    fieldAt(json, at, before) {
      const guess = followers[before] ?? 0;
      const guessed = keys[guess];
      if (guessed !== undefined && standsAt(guessed, json, at)) return guess;
      let position = search(json, at, before, keys.length);
      if (position === FAIL) position = search(json, at, 0, before);
      if (position !== FAIL) followers[before] = position;
      return position;
    },
  };

  /** Among the fields in [from, to). */
  function search(json: JsonInput, at: number, from: number, to: number): number {
    for (let position = from; position < to; position++) {
      const key = keys[position];
      if (key !== undefined && standsAt(key, json, at)) return position;
    }
    return FAIL;
  }
}

/** A key as words, for no key is shorter than one. */
interface Key {
  readonly length: number;
  readonly words: Int32Array;
  /** The last four bytes, which mostly begin inside the last of the words. */
  readonly last: number;
}

function compileKey(name: string): Key {
  const key = new TextEncoder().encode(`${JSON.stringify(name)}:`);
  const view = new DataView(key.buffer);
  const words = new Int32Array(Math.floor(key.length / WORD)).map((_zero, index) => view.getInt32(index * WORD, true));
  return { length: key.length, words, last: view.getInt32(key.length - WORD, true) };
}

function standsAt({ length, words, last }: Key, { view, lastWord }: JsonInput, at: number): boolean {
  const tail = at + length - WORD;
  // Many names begin alike, few end so.
  if (tail > lastWord || view.getInt32(tail, true) !== last) return false;
  for (let i = 0; i < words.length; i++) if (view.getInt32(at + i * WORD, true) !== words[i]) return false;
  return true;
}
