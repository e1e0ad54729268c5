/** Which faults a life of the platform meets: drawn from the seed. */
import type { Random } from "../../producers/simulators/random.ts";
import type { Abort, Fault, Plan, Spell } from "./faults/plans.ts";

export type Plans = Readonly<Record<string, Plan>>;

interface Faults {
  /** How many calls a life makes for sure: what is planned for later ones is hardly met. */
  readonly calls: number;
  readonly of: readonly Fault[];
  /** Of a call that can be reset in the middle: about as many steps as it takes. */
  readonly steps?: number;
}

/** Calls of a builder to D1 and R2 in a small step, about. */
const BUILDER_STEPS = 20;

/** The calls that go wrong and how they can. */
const FAULTS: Readonly<Record<string, Faults>> = {
  "TOPIC_ORDERS.send": { calls: 12, of: ["fail", "lose", "slow"] },
  "LAKE.put": { calls: 3, of: ["fail", "lose", "crash", "slow"] },
  "LAKE.head": { calls: 3, of: ["fail", "slow"] },
  "LAKE.get": { calls: 3, of: ["fail", "slow"] },
  "DB.batch": { calls: 4, of: ["fail", "lose", "crash", "slow"] },
  "TopicBuffer.append": { calls: 3, of: ["fail", "lose", "crash", "slow"], steps: 12 },
  "TopicBuffer.alarm": { calls: 3, of: ["fail", "twice", "crash"], steps: 40 },
  queue: { calls: 4, of: ["twice", "reverse", "again", "hold", "lose", "fail"] },
  // Deliveries of build messages, each with a builder that makes some twenty calls to D1 and R2.
  build: { calls: 8, of: [], steps: BUILDER_STEPS },
};

/** Of a call to go wrong; more would leave too little that works. */
const SHARE = 0.4;
/** Of a call that nothing else happens to, to be ended in the middle. */
const ABORT_SHARE = 0.5;

/** Of the lives in which D1 does not answer for a time. */
const SPELL_SHARE = 0.5;
/** The first ones begin before any key is read, others in or after a flush. */
const LATEST_SPELL_MS = 2_500;
const SHORTEST_SPELL_MS = 1_000;
const LONGEST_SPELL_MS = 3_000;

/** Plans for one life. */
export function drawPlans(random: Random): Plans {
  const ofCalls = Object.entries(FAULTS).map(([call, faults]) => [call, planOf(faults, random.fork(call))] as const);
  const spells = drawSpells(random.fork("spells"));
  return Object.fromEntries([...ofCalls, ["DB", { spells }] as const]);
}

/** Plans for a life of builders alone: some vanish, and with the last one the process ends. */
export function drawBuilderPlans(random: Random): Plans {
  const last = random.int(2, 8);
  const aborts = Array.from({ length: last - 1 }, (_, i) => ({ call: i + 1, step: random.int(1, BUILDER_STEPS) }));
  return {
    build: { aborts: aborts.filter(() => random.chance(ABORT_SHARE)) },
    builder: { aborts: [{ call: last, step: random.int(1, BUILDER_STEPS) }] },
  };
}

function planOf({ calls, of, steps }: Faults, random: Random): Plan {
  const numbers: Partial<Record<Fault, number[]>> = {};
  const aborts: Abort[] = [];
  for (let number = 1; number <= calls; number++) {
    if (of.length > 0 && random.chance(SHARE)) {
      const fault = random.pick(of);
      numbers[fault] = [...(numbers[fault] ?? []), number];
    } else if (steps !== undefined && random.chance(ABORT_SHARE)) {
      aborts.push({ call: number, step: random.int(1, steps) });
    }
  }
  return { ...numbers, aborts };
}

function drawSpells(random: Random): Spell[] {
  if (!random.chance(SPELL_SHARE)) return [];
  const from = random.chance(0.25) ? 0 : random.int(0, LATEST_SPELL_MS);
  return [{ from, to: from + random.int(SHORTEST_SPELL_MS, LONGEST_SPELL_MS), fault: random.pick(["down", "mute"]) }];
}

/** How many faults are planned, by `<call> <fault>` as they are logged. */
export function countPlanned(plans: Plans): Record<string, number> {
  const counts: Record<string, number> = {};
  const add = (call: string, fault: string, n: number) => {
    if (n > 0) counts[`${call} ${fault}`] = (counts[`${call} ${fault}`] ?? 0) + n;
  };
  for (const [call, { always: _, aborts = [], spells = [], ...faults }] of Object.entries(plans)) {
    for (const [fault, numbers] of Object.entries(faults)) add(call, fault, numbers.length);
    add(call, "abort", aborts.length);
    for (const { fault } of spells) add(call, fault, 1);
  }
  return counts;
}
