/** Counts of what is billed, by what caused it. One thing runs at a time, so whatever is counted belongs to it. */
import { noOperations, type Operations } from "../../prices.ts";

/** What is billed, and what is only watched. */
export interface Counts {
  readonly operations: Operations;
  /** Bytes put into the bucket. */
  bytesWritten: number;
}

export type CountsByCause = Readonly<Record<string, Counts>>;

export class Tally {
  readonly #causes = new Map<string, Counts>();
  #active: Counts;

  constructor(cause: string) {
    this.#active = this.#of(cause);
  }

  get operations(): Operations {
    return this.#active.operations;
  }

  wrote(bytes: number): void {
    this.#active.bytesWritten += bytes;
  }

  /** From now on. */
  attribute(cause: string): void {
    this.#active = this.#of(cause);
  }

  byCause(): CountsByCause {
    return Object.fromEntries(this.#causes);
  }

  #of(cause: string): Counts {
    let counts = this.#causes.get(cause);
    if (counts === undefined) {
      counts = { operations: noOperations(), bytesWritten: 0 };
      this.#causes.set(cause, counts);
    }
    return counts;
  }
}
