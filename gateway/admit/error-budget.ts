/** How many errors a request's verdicts list in all. Past it each refused event still has its first error. */
import type { EventError } from "../../contracts/verdict.ts";
import { cut } from "./excerpt.ts";

export interface ErrorBudget {
  /** Whether an event had to leave out errors. */
  readonly exhausted: boolean;
  /** The errors to list for an event that has these: all of them, or the first, which says how many are left out. */
  spend(errors: readonly EventError[]): readonly EventError[];
}

const MAX_DETAIL = 100;

export function createErrorBudget(errorsPerRequest: number): ErrorBudget {
  let left = errorsPerRequest;
  let exhausted = false;
  return {
    get exhausted() {
      return exhausted;
    },
    spend(errors) {
      left -= errors.length;
      const [first] = errors;
      if (left >= 0 || errors.length <= 1 || first === undefined) return errors;
      exhausted = true;
      const more = errors.length - 1;
      const note = `(${more} more not listed: the request has too many errors)`;
      return [{ ...first, detail: `${cut(first.detail, MAX_DETAIL)} ${note}` }];
    },
  };
}
