/** The errors of one event: sorted by class, at most 50, the last saying how many more there are. */
import type { ErrorType, EventError } from "../../contracts/verdict.ts";
import { type Path, pointerOf } from "../../schemas/event-residue.ts";
import { cut, shortPointer } from "./excerpt.ts";

/** Lower classes come first; the first error's type is the dead letter's. */
export const STRUCTURE = 0;
/** Of the right JSON type, but no value of the column's type: the window and rules cannot be judged either. */
export const UNREADABLE = 1;
export const VALUE = 2;
export const TIME_WINDOW = 3;
export const RULE = 4;
export type ErrorClass = typeof STRUCTURE | typeof UNREADABLE | typeof VALUE | typeof TIME_WINDOW | typeof RULE;

const MAX_ERRORS = 50;
export const MAX_DETAIL = 300;

export interface ErrorList {
  /** `detail` is only called for an error that is listed: an event may have a million. */
  add(of: ErrorClass, type: ErrorType, path: Path | string, rule: string | null, detail: () => string): void;
  /** Whether an error of this class was added. */
  has(of: ErrorClass): boolean;
  list(): EventError[];
}

export function createErrorList(): ErrorList {
  const classes: [EventError[], EventError[], EventError[], EventError[], EventError[]] = [[], [], [], [], []];
  let total = 0;
  return {
    add(of, type, path, rule, detail) {
      total++;
      const errors = classes[of];
      if (errors.length === MAX_ERRORS) return;
      const pointer = shortPointer(typeof path === "string" ? path : pointerOf(path));
      errors.push({ error_type: type, pointer, rule, detail: cut(detail(), MAX_DETAIL) });
    },
    has(of) {
      return classes[of].length > 0;
    },
    list() {
      const listed = classes.flat().slice(0, MAX_ERRORS);
      const last = listed[MAX_ERRORS - 1];
      if (last !== undefined && total > MAX_ERRORS) {
        const more = total - MAX_ERRORS;
        listed[MAX_ERRORS - 1] = {
          ...last,
          detail: `${cut(last.detail, MAX_DETAIL - 50)} (${more} more error${more === 1 ? " is" : "s are"} not listed)`,
        };
      }
      return listed;
    },
  };
}
