/** Where the fields of a record stand in the output while its members come in any order, and how they get into the schema's. */
import { AvroOutput } from "../../../schemas/avro-output.ts";

const ABSENT = -1;

/** Of one record after another: records of one schema do not stand inside each other. */
export class FieldOrder {
  readonly #nullBranches: readonly (number | null)[];
  /** Where each field stands in the output; `ABSENT`: not written yet. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** 1: a member was read; else the field is null, or not written yet. */
  readonly #present: Uint8Array;
  readonly #aside = new AvroOutput(256);
  #begin = 0;

  /** `nullBranches`: where null stands in the union of each field; null for a required one. */
  constructor(nullBranches: readonly (number | null)[]) {
    this.#nullBranches = nullBranches;
    this.#starts = new Int32Array(nullBranches.length);
    this.#ends = new Int32Array(nullBranches.length);
    this.#present = new Uint8Array(nullBranches.length);
  }

  /** A record begins. */
  begin(output: AvroOutput): void {
    this.#begin = output.at;
    // A loop: the arrays are short, and `fill` is a call into the runtime.
    for (let position = 0; position < this.#starts.length; position++) {
      this.#starts[position] = ABSENT;
      this.#present[position] = 0;
    }
  }

  /** Whether the record had a member for this field. */
  has(position: number): boolean {
    return this.#present[position] === 1;
  }

  beginField(position: number, output: AvroOutput): void {
    this.#present[position] = 1;
    this.#starts[position] = output.at;
  }

  endField(position: number, output: AvroOutput): void {
    this.#ends[position] = output.at;
  }

  /** Writes null for the fields in [from, to) that may be absent and are not written. They may come yet. */
  writeAbsent(from: number, to: number, output: AvroOutput): void {
    for (let position = from; position < to; position++) {
      const nullBranch = this.#nullBranches[position] ?? null;
      if (nullBranch === null || this.#starts[position] !== ABSENT) continue;
      this.#starts[position] = output.at;
      output.writeBranch(nullBranch);
      this.#ends[position] = output.at;
    }
  }

  /** Once each field is written. Those that are in their place stay there. */
  putInOrder(output: AvroOutput): void {
    const starts = this.#starts;
    const ends = this.#ends;
    const aside = this.#aside;
    let first = 0;
    let start = this.#begin;
    while (starts[first] === start) start = ends[first++] ?? start;
    let last = starts.length;
    let end = output.at;
    while (last > first && ends[last - 1] === end) end = starts[--last] ?? end;
    let length = 0;
    for (let position = first; position < last; position++) length += (ends[position] ?? 0) - (starts[position] ?? 0);
    // Else a field was taken for absent before it came, and the byte of that stands between the others.
    if (length !== end - start) {
      last = starts.length;
      end = output.at;
    }
    const behind = output.at;
    aside.at = 0;
    aside.append(output.bytes, start, end);
    output.at = start;
    for (let position = first; position < last; ) {
      const from = starts[position] ?? start;
      // Neighbours are copied as one run.
      let to = ends[position++] ?? from;
      while (position < last && starts[position] === to) to = ends[position++] ?? to;
      output.appendFrom(aside, from - start, to - start);
    }
    if (last < starts.length) output.at = behind;
  }
}
