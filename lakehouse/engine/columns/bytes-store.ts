import type { BytesColumn, Column, Nulls } from "./column.ts";
import { requireKind } from "./column-kind.ts";
import { compareBytes } from "./compare.ts";
import { grown, int32s, MAX_OFFSET, uint8s } from "./growth.ts";
import { release } from "./release.ts";
import { ValueStore } from "./value-store.ts";

/** Texts and bytes, one after another in one array. A value that is replaced by a longer one leaves a gap. */
export class BytesStore extends ValueStore {
  #starts = int32s(0);
  #ends = int32s(0);
  #bytes = uint8s(0);
  #used = 0;
  #gaps = 0;
  #rows: BytesColumn = {
    kind: "bytes",
    type: { kind: "binary" },
    length: 0,
    nulls: undefined,
    offsets: int32s(1),
    bytes: uint8s(0),
  };

  open(column: Column): void {
    this.#rows = requireKind(column, "bytes");
  }
  equals(at: number, row: number): boolean {
    const { offsets, bytes } = this.#rows;
    const start = this.#starts[at]!;
    const from = offsets[row]!;
    const length = this.#ends[at]! - start;
    if (offsets[row + 1]! - from !== length) return false;
    const own = this.#bytes;
    for (let i = 0; i < length; i++) if (own[start + i] !== bytes[from + i]) return false;
    return true;
  }
  protected differingValues(numbers: Int32Array): readonly number[] {
    const found: number[] = [];
    for (let row = 0; row < numbers.length; row++) if (!this.equals(numbers[row]!, row)) found.push(row);
    return found;
  }
  compare(row: number, at: number): number {
    const { offsets, bytes } = this.#rows;
    return compareBytes(bytes, offsets[row]!, offsets[row + 1]!, this.#bytes, this.#starts[at]!, this.#ends[at]!);
  }
  protected store(at: number, row: number): void {
    const { offsets, bytes } = this.#rows;
    const from = offsets[row]!;
    const length = offsets[row + 1]! - from;
    const room = this.#ends[at]! - this.#starts[at]!;
    if (length > room) {
      this.#gaps += room;
      this.#ends[at] = this.#starts[at]!;
      if (this.#gaps > 65_536 && this.#gaps > this.#used / 2) this.#close();
      this.#starts[at] = this.#used;
      this.#used += length;
      if (this.#used > MAX_OFFSET) throw new RangeError("a column of bytes cannot hold 2 GiB");
      this.#bytes = grown(this.#bytes, this.#used, uint8s);
    } else this.#gaps += room - length;
    const start = this.#starts[at]!;
    for (let i = 0; i < length; i++) this.#bytes[start + i] = bytes[from + i]!;
    this.#ends[at] = start + length;
  }
  protected reserve(count: number): void {
    this.#starts = grown(this.#starts, count, int32s);
    this.#ends = grown(this.#ends, count, int32s);
  }
  protected toColumn(from: number, to: number, nulls: Nulls): Column {
    const length = to - from;
    const offsets = int32s(length + 1);
    for (let n = 0; n < length; n++) offsets[n + 1] = offsets[n]! + this.#ends[from + n]! - this.#starts[from + n]!;
    const bytes = uint8s(offsets[length]!);
    for (let n = 0; n < length; n++) this.#copy(from + n, bytes, offsets[n]!);
    return { kind: "bytes", type: this.type, length, nulls, offsets, bytes };
  }
  protected releaseValues(): void {
    for (const array of [this.#starts, this.#ends, this.#bytes]) release(array);
  }
  protected get valueBytes(): number {
    return this.#starts.byteLength + this.#ends.byteLength + this.#bytes.byteLength;
  }

  /** Moves the values together. */
  #close(): void {
    const bytes = uint8s(this.#bytes.length);
    let used = 0;
    for (let at = 0; at < this.length; at++) {
      const length = this.#ends[at]! - this.#starts[at]!;
      this.#copy(at, bytes, used);
      this.#starts[at] = used;
      this.#ends[at] = used += length;
    }
    release(this.#bytes);
    this.#bytes = bytes;
    this.#used = used;
    this.#gaps = 0;
  }

  #copy(at: number, target: Uint8Array, to: number): void {
    const start = this.#starts[at]!;
    const length = this.#ends[at]! - start;
    for (let i = 0; i < length; i++) target[to + i] = this.#bytes[start + i]!;
  }
}
