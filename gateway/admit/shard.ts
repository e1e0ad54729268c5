/** Which shard a valid event belongs to. */
import type { Contract } from "../../contracts/contract.ts";
import { shardOf } from "../../contracts/shards.ts";
import type { Masker } from "../masking/masker.ts";
import { isKeptMasked, type RecordPlan } from "./plan.ts";

/** By the key as it is stored: a shard does not tell anything of a clear value. */
export function compileShard(
  { shardKey, shards, topic }: Contract,
  plan: RecordPlan,
): (event: Readonly<Record<string, unknown>>, masker: Masker | null) => number {
  const keyFields = shardKey.map((name) => ({ name, plan: plan.byName.get(name)?.value }));
  return function shardFor(event, masker) {
    if (shards === 1) return 0;
    const key = new Array<unknown>(keyFields.length);
    let part = 0;
    for (const { name, plan: field } of keyFields) {
      const value = event[name];
      key[part++] =
        field?.kind !== "string" || field.masking === null || typeof value !== "string" || isKeptMasked(value, field)
          ? value
          : withKeys(masker, topic).mask(field.masking, value);
    }
    return shardOf(key, shards);
  };
}

/** What masks a topic's fields. Throws if there is nothing that does. */
export function withKeys(masker: Masker | null, topic: string): Masker {
  if (masker === null) throw new Error(`${topic}: an event with masked fields needs keys`);
  return masker;
}
