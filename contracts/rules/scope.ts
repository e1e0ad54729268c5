/** What the closures of a rule pass along. */
import { RuleFailure } from "./failure.ts";

export interface Scope {
  /** The event, then the items of the passes that are under way, by depth. */
  readonly values: unknown[];
  /** How many steps the rule may still take. */
  steps: number;
}

export type Evaluate = (scope: Scope) => unknown;

/**
 * A pass over a list takes a step for each item, and work on a text one for each hundred characters. So a pass inside a pass
 * cannot hold up an isolate: 10,000 steps take a millisecond, or ten where they are all characters.
 */
export const MAX_STEPS = 10_000;

export function spend(scope: Scope, steps: number): void {
  scope.steps -= steps;
  if (scope.steps < 0) throw new RuleFailure(`it takes more than ${MAX_STEPS} steps for this event`);
}

const CHARACTERS_A_STEP = 100;

/** For work that grows with a text. */
export function spendText(scope: Scope, characters: number): void {
  if (characters >= CHARACTERS_A_STEP) spend(scope, Math.floor(characters / CHARACTERS_A_STEP));
}
