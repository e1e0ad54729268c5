/** The files that native runs may read, as an isolate remembers them: each order is read once for all of its files. */

/** Bytes by file. */
export type InputList = ReadonlyMap<string, number>;

/** Files of all lists together, some 200 bytes each: two of the largest orders (`MAX_INPUT_FILES`), or many usual ones. */
const FILES_HELD = 40_000;
/** How long a request waits for another one that reads the same order. That one may be gone: then this one reads it itself. */
const WAIT = { ms: 20, times: 50 } as const;

export class InputLists {
  readonly #filesHeld: number;
  readonly #sleep: (ms: number) => Promise<unknown>;
  readonly #lists = new Map<string, InputList>();
  readonly #loading = new Set<string>();

  constructor(
    filesHeld = FILES_HELD,
    sleep: (ms: number) => Promise<unknown> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {
    this.#filesHeld = filesHeld;
    this.#sleep = sleep;
  }

  /**
   * The list of a run, whose order never changes. A builder asks for several files at once, and an order of 20,000 takes 14 MB while it is
   * read: one request reads it, and the others wait. They share no promise: one of a request that was cancelled never settles.
   */
  async of(runId: string, load: () => Promise<InputList>): Promise<InputList> {
    for (let tries = 0; this.#loading.has(runId) && tries < WAIT.times; tries++) await this.#sleep(WAIT.ms);
    const list = this.#lists.get(runId) ?? (await this.#load(runId, load));
    // Behind the others: the one that was asked for longest ago goes first.
    this.#lists.delete(runId);
    this.#lists.set(runId, list);
    this.#letGo();
    return list;
  }

  async #load(runId: string, load: () => Promise<InputList>): Promise<InputList> {
    this.#loading.add(runId);
    try {
      return await load();
    } finally {
      this.#loading.delete(runId);
    }
  }

  /** The newest stays, whatever its size. */
  #letGo(): void {
    let held = [...this.#lists.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [runId, { size }] of this.#lists) {
      if (held <= this.#filesHeld || this.#lists.size === 1) return;
      this.#lists.delete(runId);
      held -= size;
    }
  }
}
