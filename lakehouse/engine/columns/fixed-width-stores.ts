/** Stores of booleans, integers of one to four words, and doubles (`value-store.ts` says why indexed reads are defined). */
import type { BoolColumn, Column, ColumnType, Float64Column, Nulls } from "./column.ts";
import { requireKind } from "./column-kind.ts";
import { compareFloats } from "./compare.ts";
import { float64s, grown, int32s, uint8s } from "./growth.ts";
import { release } from "./release.ts";
import { ValueStore } from "./value-store.ts";

export class BoolStore extends ValueStore {
  #values = uint8s(0);
  #rows: BoolColumn["values"] = uint8s(0);

  open(column: Column): void {
    this.#rows = requireKind(column, "bool").values;
  }
  equals(at: number, row: number): boolean {
    return this.#values[at] === this.#rows[row];
  }
  protected differingValues(numbers: Int32Array): readonly number[] {
    const found: number[] = [];
    for (let row = 0; row < numbers.length; row++) if (!this.equals(numbers[row]!, row)) found.push(row);
    return found;
  }
  compare(row: number, at: number): number {
    return this.#rows[row]! - this.#values[at]!;
  }
  protected store(at: number, row: number): void {
    this.#values[at] = this.#rows[row]!;
  }
  protected reserve(count: number): void {
    this.#values = grown(this.#values, count, uint8s);
  }
  protected toColumn(from: number, to: number, nulls: Nulls): Column {
    return { kind: "bool", type: this.type, length: to - from, nulls, values: this.#values.slice(from, to) };
  }
  protected releaseValues(): void {
    release(this.#values);
  }
  protected get valueBytes(): number {
    return this.#values.byteLength;
  }
}

/** The columns whose values are integers of 32-bit words, the lowest first: reading them as bigints would allocate each. */
export function wordsOf(column: Column): Int32Array {
  switch (column.kind) {
    case "int32":
      return column.values;
    case "int64":
    case "int128":
      return new Int32Array(column.values.buffer, column.values.byteOffset, column.values.length * 2);
    default:
      throw new TypeError(`not an integer column: ${column.kind}`);
  }
}

export class WordStore extends ValueStore {
  readonly #layout: "int32" | "int64" | "int128";
  readonly #width: 1 | 2 | 4;
  #values = int32s(0);
  #rows: Int32Array = int32s(0);

  constructor(type: ColumnType, layout: "int32" | "int64" | "int128", width: 1 | 2 | 4) {
    super(type);
    this.#layout = layout;
    this.#width = width;
  }
  open(column: Column): void {
    this.#rows = wordsOf(requireKind(column, this.#layout));
  }
  equals(at: number, row: number): boolean {
    const width = this.#width;
    for (let word = 0; word < width; word++) {
      if (this.#values[at * width + word] !== this.#rows[row * width + word]) return false;
    }
    return true;
  }
  protected differingValues(numbers: Int32Array): readonly number[] {
    const found: number[] = [];
    const width = this.#width;
    const values = this.#values;
    const rows = this.#rows;
    for (let row = 0; row < numbers.length; row++) {
      const at = numbers[row]! * width;
      const from = row * width;
      for (let word = 0; word < width; word++) {
        if (values[at + word] === rows[from + word]) continue;
        found.push(row);
        break;
      }
    }
    return found;
  }
  compare(row: number, at: number): number {
    const width = this.#width;
    const top = this.#rows[row * width + width - 1]! - this.#values[at * width + width - 1]!;
    if (top !== 0) return top;
    for (let word = width - 2; word >= 0; word--) {
      const order = (this.#rows[row * width + word]! >>> 0) - (this.#values[at * width + word]! >>> 0);
      if (order !== 0) return order;
    }
    return 0;
  }
  protected store(at: number, row: number): void {
    const width = this.#width;
    for (let word = 0; word < width; word++) this.#values[at * width + word] = this.#rows[row * width + word]!;
  }
  protected reserve(count: number): void {
    this.#values = grown(this.#values, count * this.#width, int32s);
  }
  protected toColumn(from: number, to: number, nulls: Nulls): Column {
    const words = this.#values.slice(from * this.#width, to * this.#width);
    const { type } = this;
    const length = to - from;
    if (this.#layout === "int32") return { kind: "int32", type, length, nulls, values: words };
    return { kind: this.#layout, type, length, nulls, values: new BigInt64Array(words.buffer) };
  }
  protected releaseValues(): void {
    release(this.#values);
  }
  protected get valueBytes(): number {
    return this.#values.byteLength;
  }
}

export class FloatStore extends ValueStore {
  #values = float64s(0);
  #rows: Float64Column["values"] = float64s(0);

  open(column: Column): void {
    this.#rows = requireKind(column, "float64").values;
  }
  equals(at: number, row: number): boolean {
    const a = this.#values[at]!;
    const b = this.#rows[row]!;
    return a === b || (Number.isNaN(a) && Number.isNaN(b));
  }
  protected differingValues(numbers: Int32Array): readonly number[] {
    const found: number[] = [];
    for (let row = 0; row < numbers.length; row++) if (!this.equals(numbers[row]!, row)) found.push(row);
    return found;
  }
  compare(row: number, at: number): number {
    return compareFloats(this.#rows[row]!, this.#values[at]!);
  }
  /** -0 is kept as 0: else it would depend on the order of the rows which of the two equal values stands in the result. */
  protected store(at: number, row: number): void {
    this.#values[at] = this.#rows[row]! + 0;
  }
  protected reserve(count: number): void {
    this.#values = grown(this.#values, count, float64s);
  }
  protected toColumn(from: number, to: number, nulls: Nulls): Column {
    return { kind: "float64", type: this.type, length: to - from, nulls, values: this.#values.slice(from, to) };
  }
  protected releaseValues(): void {
    release(this.#values);
  }
  protected get valueBytes(): number {
    return this.#values.byteLength;
  }
}
