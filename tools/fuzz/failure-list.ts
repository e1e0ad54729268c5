export interface FuzzFailure {
  /** Of the request, null for what no request alone is to blame for. */
  readonly index: number | null;
  readonly what: string;
}

const MAX_KEPT = 1_000;

/** Counts every failure and keeps the first ones: a run in which everything fails must end, too. */
export class FailureList {
  readonly #kept: FuzzFailure[] = [];
  #total = 0;

  get total(): number {
    return this.#total;
  }

  get kept(): readonly FuzzFailure[] {
    return this.#kept;
  }

  add(index: number | null, what: string): void {
    this.#total++;
    if (this.#kept.length < MAX_KEPT) this.#kept.push({ index, what });
  }

  addAll(other: FailureList): void {
    for (const { index, what } of other.kept) this.add(index, what);
    this.#total += other.total - other.kept.length;
  }
}
