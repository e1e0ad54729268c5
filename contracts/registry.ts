/** The compiled contracts, by topic. */
import type { Contract } from "./contract.ts";
import { contracts as compiled } from "./contracts.generated.ts";

const byTopic = new Map(compiled.map((contract) => [contract.topic, contract]));

/** Every contract, in the order of their topics' names. */
export const contracts: readonly Contract[] = compiled;

export function contractOf(topic: string): Contract | undefined {
  return byTopic.get(topic);
}

/** The binding of a topic's queue in wrangler.toml: `order_changes` is `TOPIC_ORDER_CHANGES`. */
export function queueBinding(topic: string): string {
  return `TOPIC_${topic.toUpperCase()}`;
}

/** The schema that new events of a topic are written with when they name none. */
export function currentSchema(contract: Contract): { readonly id: number; readonly version: number } {
  const current = contract.schemas.at(-1);
  if (current === undefined) throw new Error(`topic ${contract.topic} has no schema`);
  return current;
}
