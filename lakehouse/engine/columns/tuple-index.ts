/** Numbers for tuples of values that are equal exactly when the values are: what groups, keys and distinct counts stand on. */
import type { Column } from "./column.ts";

/** Codes per column and groups are below this, so that a pair of them is one exact double: 2^26 * 2^26 < 2^53. */
const MAX_CODES = 1 << 26;

/** Turns the values of one column into dense codes: equal values, and only they, get equal codes, over all batches. */
type Coder = (column: Column, length: number) => Int32Array;

/**
 * Numbers the distinct tuples of columns densely, in the order of first appearance. Exact: values are compared, never
 * only hashed. NULL equals NULL, NaN equals NaN, -0 equals 0, as in SQL's GROUP BY.
 */
export interface TupleIndex {
  /** How many distinct tuples there are so far. */
  readonly count: number;
  /** The number of each row's tuple, and the rows at which a tuple appeared for the first time. */
  assign(columns: readonly Column[], length: number): { readonly groups: Int32Array; readonly fresh: Int32Array };
}

export function createTupleIndex(width: number): TupleIndex {
  const coders = Array.from({ length: width }, createCoder);
  const levels = Array.from({ length: Math.max(0, width - 1) }, () => createPairing());
  let count = 0;
  return {
    get count() {
      return count;
    },
    assign(columns, length) {
      let groups = new Int32Array(length);
      for (const [level, coder] of coders.entries()) {
        // `columns` has as many columns as there are coders: `width`.
        const codes = coder(columns[level]!, length);
        if (level === 0) groups = Int32Array.from(codes);
        else {
          const pair = levels[level - 1]!;
          for (let row = 0; row < length; row++) groups[row] = pair(groups[row]!, codes[row]!);
        }
      }
      const fresh = new Int32Array(length);
      let freshCount = 0;
      for (let row = 0; row < length; row++) {
        // Numbers are given in order: the next one can only be the first of its kind.
        if (groups[row] !== count) continue;
        fresh[freshCount++] = row;
        count++;
      }
      return { groups, fresh: fresh.subarray(0, freshCount) };
    },
  };
}

/** Numbers pairs of codes densely. */
export function createPairing(): (a: number, b: number) => number {
  const numbers = new Map<number, number>();
  return (a, b) => {
    const key = a * MAX_CODES + b;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const number = nextCode(numbers.size);
    numbers.set(key, number);
    return number;
  };
}

function nextCode(used: number): number {
  if (used >= MAX_CODES) throw new RangeError(`more than ${MAX_CODES} distinct values in one run`);
  return used;
}

/** A coder that picks its method at the first batch, by the column's layout. */
function createCoder(): Coder {
  let nullCode: number | undefined;
  let used = 0;
  const next = () => {
    const code = nextCode(used);
    used++;
    return code;
  };
  let codeOf: ((column: Column) => (row: number) => number) | undefined;
  return (column, length) => {
    codeOf ??= valueCoder(column, next);
    const code = codeOf(column);
    const codes = new Int32Array(length);
    for (let row = 0; row < length; row++) {
      if (column.nulls?.[row] === 1) {
        nullCode ??= next();
        codes[row] = nullCode;
      } else codes[row] = code(row);
    }
    return codes;
  };
}

function valueCoder(first: Column, next: () => number): (column: Column) => (row: number) => number {
  switch (first.kind) {
    case "bool":
    case "int32":
    case "float64": {
      // A Map's keys follow SameValueZero: NaN equals NaN, -0 equals 0.
      const code = memoized(new Map<number, number>(), next);
      return (column) => {
        if (column.kind !== first.kind) throw new TypeError(`a ${column.kind} column among ${first.kind} columns`);
        const { values } = column;
        return (row) => code(values[row]!);
      };
    }
    case "int64": {
      const code = memoized(new Map<bigint, number>(), next);
      return (column) => {
        if (column.kind !== "int64") throw new TypeError(`a ${column.kind} column among int64 columns`);
        return (row) => code(column.values[row]!);
      };
    }
    case "int128": {
      const code = memoized(new Map<bigint, number>(), next);
      return (column) => {
        if (column.kind !== "int128") throw new TypeError(`a ${column.kind} column among int128 columns`);
        const { values } = column;
        return (row) => code((values[2 * row + 1]! << 64n) | BigInt.asUintN(64, values[2 * row]!));
      };
    }
    case "bytes": {
      // Latin-1 text stands for bytes, so no text is decoded.
      const code = memoized(new Map<string, number>(), next);
      return (column) => {
        if (column.kind !== "bytes") throw new TypeError(`a ${column.kind} column among bytes columns`);
        const { bytes, offsets } = column;
        const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        return (row) => code(buffer.latin1Slice(offsets[row], offsets[row + 1]));
      };
    }
    case "list":
    case "struct":
      throw new TypeError(`columns of kind ${first.kind} are no keys`);
  }
}

function memoized<V>(codes: Map<V, number>, next: () => number): (value: V) => number {
  return (value) => {
    const known = codes.get(value);
    if (known !== undefined) return known;
    const code = next();
    codes.set(value, code);
    return code;
  };
}
