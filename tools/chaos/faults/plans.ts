/** Which calls go wrong, and how: armed from outside, consulted at every call of a faulty binding. */

/** Calls are numbered from 1 when the plans are armed. */
export interface Plan {
  readonly fail?: readonly number[];
  /** The call happens and its answer is lost. */
  readonly lose?: readonly number[];
  /** The call happens, and the Durable Object that made it dies before it knows; elsewhere the same as `lose`. */
  readonly crash?: readonly number[];
  /** The call happens late: others overtake it. */
  readonly slow?: readonly number[];
  /** Of a queue's delivery: the batch comes twice at once. */
  readonly twice?: readonly number[];
  /** Its messages come in reverse order. */
  readonly reverse?: readonly number[];
  /** It comes once more after the batch that follows it. */
  readonly again?: readonly number[];
  /** Nothing of it comes before a second has passed. */
  readonly hold?: readonly number[];
  /** Every call fails until faults are armed anew. */
  readonly always?: boolean;
}

export type Fault = Exclude<keyof Plan, "always">;

const FAULTS: readonly Fault[] = ["fail", "lose", "crash", "slow", "twice", "reverse", "again", "hold"];

let plans: Readonly<Record<string, Plan>> = {};
let calls: Record<string, number> = {};

export class InjectedFault extends Error {
  override readonly name = "InjectedFault";
}

/** Replaces what was armed before. */
export function armPlans(next: Readonly<Record<string, Plan>>): string[] {
  plans = next;
  calls = {};
  return Object.keys(plans);
}

/** Counts a call and says what goes wrong with it. Logs `FAULT <call> <fault>`, which a run counts. */
export function nextFault(call: string): { readonly fault: Fault | undefined; readonly number: number } {
  const plan = plans[call];
  if (plan === undefined) return { fault: undefined, number: 0 };
  const number = (calls[call] ?? 0) + 1;
  calls[call] = number;
  const fault = plan.always === true ? "fail" : FAULTS.find((each) => plan[each]?.includes(number));
  if (fault !== undefined) console.log(`FAULT ${call} ${fault}`);
  return { fault, number };
}
