/**
 * What one request costs its key, in events: by what it makes the platform do, whatever comes of it. A document that cannot be read, a
 * dry run and a batch that is refused cost as much as one that is stored.
 */

/** A larger event costs as several. */
const BYTES_PER_EVENT = 1_000;

export interface Spending {
  /**
   * Before anything of the body is read: takes what a body of so many bytes costs at least. Throws `ProblemError` RATE_LIMITED where the
   * key has nothing left; then nothing is taken.
   */
  begin(bytes: number): void;
  /** Once what the request cost is known: takes the rest. The more of events and bytes counts; calling again takes what grew. */
  settle(cost: { readonly events: number; readonly bytes: number }): void;
}

export interface KeyBudget {
  /** Throws `ProblemError` RATE_LIMITED where there is nothing left. */
  demand(): void;
  take(events: number): void;
}

export function createSpending(budget: KeyBudget): Spending {
  let taken = 0;
  function takeUpTo(cost: number): void {
    if (cost > taken) budget.take(cost - taken);
    taken = Math.max(taken, cost);
  }
  return {
    begin(bytes) {
      budget.demand();
      takeUpTo(Math.max(1, Math.ceil(bytes / BYTES_PER_EVENT)));
    },
    settle({ events, bytes }) {
      takeUpTo(Math.max(events, Math.ceil(bytes / BYTES_PER_EVENT)));
    },
  };
}

/** Of a key without a limit of events. */
export const NO_LIMIT: KeyBudget = { demand() {}, take() {} };
