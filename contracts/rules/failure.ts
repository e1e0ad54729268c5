/** Why a rule gives neither true nor false for an event. No Error: `||` and `&&` absorb failures, and a stack trace costs more than a rule. */
export class RuleFailure {
  /** In words, with the values that did it. */
  readonly reason: string;

  /** Whether the reason says where in the rule, and of which values. */
  readonly placed: boolean;

  constructor(reason: string, placed = false) {
    this.reason = reason;
    this.placed = placed;
  }
}

const MAX_SHOWN = 60;

/** A value of a rule, for a reason. */
export function shownValue(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, MAX_SHOWN)) : String(value);
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
