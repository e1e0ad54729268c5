/** Where the rows of a flush lie in its blocks, by date: what the first pass over the bytes leaves for the second. */
import { keepShape } from "../../schemas/kept-shape.ts";

/** The frozen blocks of a flush, each the concatenation of whole frames. Reading one gives its bytes anew: nobody holds them all. */
export interface BlockSource {
  readonly count: number;
  /** In append order. */
  read(block: number): Uint8Array;
  /** Takes back what `read` gave, which is not looked at again: its memory should be free now, and not at the next collection. */
  release?(bytes: Uint8Array): void;
}

/** Rows of one frame that follow each other and have the same date. */
export interface RowRun {
  /** The frame's number within its block. */
  readonly frame: number;
  /** Where the rows' envelopes begin and end, in bytes of the frame's events. */
  readonly start: number;
  readonly end: number;
  /** How many rows of the frame stand before the run. */
  readonly first: number;
  readonly rows: number;
  /** Days since the epoch. */
  readonly day: number;
}

const NUMBERS = 5;
const INITIAL_RUNS = 256;

/** Runs in append order, as numbers in one array per block: a storm of dates has a run per row. */
export class RowRuns {
  #numbers: Int32Array[] = [];
  #lengths: number[] = [];

  /** Every run of every frame is added, block by block, in append order. */
  add(block: number, frame: number, start: number, end: number, rows: number, day: number): void {
    while (this.#numbers.length <= block) {
      this.#numbers.push(new Int32Array(0));
      this.#lengths.push(0);
    }
    let numbers = this.#numbers[block] ?? new Int32Array(0);
    const length = this.#lengths[block] ?? 0;
    const at = length * NUMBERS;
    if (at === numbers.length) {
      const grown = new Int32Array(Math.max(INITIAL_RUNS * NUMBERS, at * 2));
      grown.set(numbers);
      numbers = grown;
      this.#numbers[block] = grown;
    }
    numbers[at] = frame;
    numbers[at + 1] = start;
    numbers[at + 2] = end;
    numbers[at + 3] = rows;
    numbers[at + 4] = day;
    this.#lengths[block] = length + 1;
  }

  /** The runs of a block whose date is one of `days`. */
  *ofBlock(block: number, days: ReadonlySet<number>): Generator<RowRun> {
    const numbers = this.#numbers[block] ?? new Int32Array(0);
    const end = (this.#lengths[block] ?? 0) * NUMBERS;
    let lastFrame = -1;
    let before = 0;
    for (let at = 0; at < end; at += NUMBERS) {
      const frame = numbers[at] ?? 0;
      const rows = numbers[at + 3] ?? 0;
      const day = numbers[at + 4] ?? 0;
      // A run is a part of its frame: what stands before it is the sum of the frame's earlier runs, of whatever date.
      const first = frame === lastFrame ? before : 0;
      lastFrame = frame;
      before = first + rows;
      if (days.has(day)) yield { frame, start: numbers[at + 1] ?? 0, end: numbers[at + 2] ?? 0, first, rows, day };
    }
  }
}

keepShape(new RowRuns());
