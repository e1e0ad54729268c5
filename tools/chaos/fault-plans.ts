/** Which faults a life of the platform meets: drawn from the seed. */
import type { Random } from "../../producers/simulators/random.ts";
import type { Fault, Plan } from "./faults/plans.ts";

/** The calls that go wrong and how they can. A life makes some tens of most of them. */
const FAULTS_OF_CALLS: Readonly<Record<string, readonly Fault[]>> = {
  "TOPIC_ORDERS.send": ["fail", "lose", "slow"],
  "LAKE.put": ["fail", "lose", "crash", "slow"],
  "LAKE.head": ["fail", "slow"],
  "LAKE.get": ["fail", "slow"],
  "DB.batch": ["fail", "lose", "crash", "slow"],
  "TopicBuffer.append": ["fail", "lose", "crash", "slow"],
  "TopicBuffer.alarm": ["fail", "twice", "crash"],
  queue: ["twice", "reverse", "again", "hold", "lose", "fail"],
};

/** A life is short: what is planned for later calls is hardly met. */
const CALLS = 8;
/** Of a call to go wrong; more would leave too little that works. */
const SHARE = 0.35;

/** Plans for one life. */
export function drawPlans(random: Random): Record<string, Plan> {
  return Object.fromEntries(
    Object.entries(FAULTS_OF_CALLS).map(([call, faults]) => [call, planOf(faults, random.fork(call))]),
  );
}

function planOf(faults: readonly Fault[], random: Random): Plan {
  const numbers: Partial<Record<Fault, number[]>> = {};
  for (let number = 1; number <= CALLS; number++) {
    if (!random.chance(SHARE)) continue;
    const fault = random.pick(faults);
    numbers[fault] = [...(numbers[fault] ?? []), number];
  }
  return numbers;
}
