/** Which faults a life of the platform meets: drawn from the seed. */
import type { Random } from "../../producers/simulators/random.ts";
import type { Fault, Plan } from "./faults/plans.ts";

interface Faults {
  /** How many calls a life makes for sure: what is planned for later ones is hardly met. */
  readonly calls: number;
  readonly of: readonly Fault[];
}

/** The calls that go wrong and how they can. */
const FAULTS: Readonly<Record<string, Faults>> = {
  "TOPIC_ORDERS.send": { calls: 12, of: ["fail", "lose", "slow"] },
  "LAKE.put": { calls: 3, of: ["fail", "lose", "crash", "slow"] },
  "LAKE.head": { calls: 3, of: ["fail", "slow"] },
  "LAKE.get": { calls: 3, of: ["fail", "slow"] },
  "DB.batch": { calls: 4, of: ["fail", "lose", "crash", "slow"] },
  "TopicBuffer.append": { calls: 3, of: ["fail", "lose", "crash", "slow"] },
  "TopicBuffer.alarm": { calls: 3, of: ["fail", "twice", "crash"] },
  queue: { calls: 4, of: ["twice", "reverse", "again", "hold", "lose", "fail"] },
};

/** Of a call to go wrong; more would leave too little that works. */
const SHARE = 0.4;

/** Plans for one life. */
export function drawPlans(random: Random): Record<string, Plan> {
  return Object.fromEntries(Object.entries(FAULTS).map(([call, faults]) => [call, planOf(faults, random.fork(call))]));
}

function planOf({ calls, of }: Faults, random: Random): Plan {
  const numbers: Partial<Record<Fault, number[]>> = {};
  for (let number = 1; number <= calls; number++) {
    if (!random.chance(SHARE)) continue;
    const fault = random.pick(of);
    numbers[fault] = [...(numbers[fault] ?? []), number];
  }
  return numbers;
}
