/** What is still to happen in a simulated world, soonest first. */

interface Entry<T> {
  readonly dueMs: number;
  readonly order: number;
  readonly item: T;
}

/** A binary heap by due time; entries due at the same time leave in the order in which they came. */
export class Agenda<T> {
  readonly #heap: Entry<T>[] = [];
  #added = 0;

  /** The due time of the soonest entry in virtual milliseconds; undefined if nothing is to come. */
  get nextDueMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  add(dueMs: number, item: T): void {
    const heap = this.#heap;
    const entry = { dueMs, order: this.#added++, item };
    let index = heap.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !before(entry, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  /** Removes and returns the soonest entry, whether due or not; undefined if nothing is to come. */
  take(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.item;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      const right = heap[childIndex + 1];
      if (child !== undefined && right !== undefined && before(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (child === undefined || !before(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
    return first.item;
  }
}

function before<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
