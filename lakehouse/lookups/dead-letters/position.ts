/** Where a dead letter stands in the list of all: by reception, then by id. */

export interface Position {
  /** Microseconds since the epoch. */
  readonly received: number;
  readonly id: string;
}

export type Order = "newest" | "oldest";

/** Negative if `a` is listed before `b`. A total order: a dead letter has one position however many copies of it there are. */
export function comparePositions(order: Order): (a: Position, b: Position) => number {
  const sign = order === "newest" ? -1 : 1;
  return (a, b) => {
    if (a.received !== b.received) return a.received < b.received ? -sign : sign;
    return a.id === b.id ? 0 : a.id < b.id ? -sign : sign;
  };
}

/** The position before all dead letters received at this time or listed after it: a page that ends here has told of everything earlier in the list. */
export function boundaryAt(order: Order, received: number): Position {
  return { received, id: order === "newest" ? AFTER_ALL_IDS : "" };
}

/** Ids are hexadecimal. */
const AFTER_ALL_IDS = "~";

/** The first positions that were offered, in their order, each once. */
export class FirstPositions<T extends Position> {
  readonly #compare: (a: Position, b: Position) => number;
  readonly #limit: number;
  readonly #items: T[] = [];

  constructor(order: Order, limit: number) {
    this.#compare = comparePositions(order);
    this.#limit = limit;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  /** Whether it would be kept if it were offered now. */
  wouldTake(position: Position): boolean {
    const last = this.#items.at(-1);
    return this.#items.length < this.#limit || (last !== undefined && this.#compare(position, last) < 0);
  }

  offer(item: T): void {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#items[middle];
      const order = other === undefined ? 0 : this.#compare(other, item);
      if (order === 0) return;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    if (low >= this.#limit) return;
    this.#items.splice(low, 0, item);
    if (this.#items.length > this.#limit) this.#items.pop();
  }
}
