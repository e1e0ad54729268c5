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
  /** Of a call of a Durable Object: the object is reset after a step of it. */
  readonly aborts?: readonly Abort[];
  /** Of a whole binding: times in which each of its calls goes wrong. */
  readonly spells?: readonly Spell[];
}

export interface Abort {
  readonly call: number;
  /** Steps are what the object does to its storage, R2 or D1, counted from 1; a call with fewer ends after its last, before its answer. */
  readonly step: number;
}

/** From `from` until `to`, in milliseconds since the plans were armed. */
export interface Spell {
  readonly from: number;
  readonly to: number;
  /** `down`: no call is made. `mute`: calls are made, and their answers lost. */
  readonly fault: "down" | "mute";
}

export type Fault = Exclude<keyof Plan, "always" | "aborts" | "spells">;

const FAULTS: readonly Fault[] = ["fail", "lose", "crash", "slow", "twice", "reverse", "again", "hold"];

let plans: Readonly<Record<string, Plan>> = {};
let calls: Record<string, number> = {};
let armedAt = 0;
/** Those of which a run has been told. */
let met = new WeakSet<Spell>();

export class InjectedFault extends Error {
  override readonly name = "InjectedFault";
}

/** Replaces what was armed before. */
export function armPlans(next: Readonly<Record<string, Plan>>): string[] {
  plans = next;
  calls = {};
  armedAt = Date.now();
  met = new WeakSet();
  return Object.keys(plans);
}

export interface NextFault {
  readonly fault: Fault | undefined;
  /** The step after which the object is reset: whoever does that logs it. */
  readonly abortAfter: number | undefined;
  readonly number: number;
}

/** Counts a call and says what goes wrong with it. Logs `FAULT <call> <fault>`, which a run counts. */
export function nextFault(call: string): NextFault {
  const plan = plans[call];
  if (plan === undefined) return { fault: undefined, abortAfter: undefined, number: 0 };
  const number = (calls[call] ?? 0) + 1;
  calls[call] = number;
  const fault = faultOf(plan, number);
  if (fault !== undefined) logFault(call, fault);
  return { fault, abortAfter: plan.aborts?.find((abort) => abort.call === number)?.step, number };
}

/** What every call of a binding meets at the moment. Logs the call, and once that the spell was met at all. */
export function presentSpell(binding: string, call: string): Spell["fault"] | undefined {
  const spell = spellAt(plans[binding]?.spells ?? [], Date.now() - armedAt);
  if (spell === undefined) return undefined;
  if (!met.has(spell)) logFault(binding, spell.fault);
  met.add(spell);
  logFault(call, spell.fault);
  return spell.fault;
}

export function faultOf(plan: Plan, number: number): Fault | undefined {
  return plan.always === true ? "fail" : FAULTS.find((each) => plan[each]?.includes(number));
}

/** The spell that covers a time, in milliseconds since the plans were armed. */
export function spellAt(spells: readonly Spell[], ms: number): Spell | undefined {
  return spells.find(({ from, to }) => from <= ms && ms < to);
}

export function logFault(call: string, fault: string): void {
  console.log(`FAULT ${call} ${fault}`);
}
