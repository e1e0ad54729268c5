/** Which shard a valid event belongs to. */
import type { Contract } from "../../contracts/contract.ts";
import { shardOf, shardOfAscii } from "../../contracts/shards.ts";
import type { Masker } from "../masking/masker.ts";
import { isKeptMasked, type RecordPlan } from "./plan.ts";

export interface Shards {
  /** The field that is the whole key and stored as it was sent; null if there is none such. */
  readonly keyField: string | null;
  /**
   * By the key as it is stored: a shard does not tell anything of a clear value. `keyStart` is where `keyField` begins in the written
   * bytes, or -1: a text is hashed faster there.
   */
  shardFor(
    event: Readonly<Record<string, unknown>>,
    masker: Masker | null,
    written: Uint8Array,
    keyStart: number,
  ): number;
}

export function compileShard({ shardKey, shards, topic }: Contract, plan: RecordPlan): Shards {
  const keyFields = shardKey.map((name) => ({ name, plan: plan.byName.get(name)?.value }));
  const [only] = keyFields;
  const isPlain = keyFields.length === 1 && only?.plan?.kind === "string" && only.plan.masking === null;

  function byValues(event: Readonly<Record<string, unknown>>, masker: Masker | null): number {
    const key = keyFields.map(({ name, plan: field }) => {
      const value = event[name];
      if (field?.kind !== "string" || field.masking === null || typeof value !== "string") return value;
      return isKeptMasked(value, field) ? value : withKeys(masker, topic).mask(field.masking, value);
    });
    return shardOf(key, shards);
  }

  return {
    keyField: isPlain ? only.name : null,
    shardFor(event, masker, written, keyStart) {
      if (shards === 1) return 0;
      return (keyStart < 0 ? undefined : shardOfAscii(written, keyStart, shards)) ?? byValues(event, masker);
    },
  };
}

/** What masks a topic's fields. Throws if there is nothing that does. */
export function withKeys(masker: Masker | null, topic: string): Masker {
  if (masker === null) throw new Error(`${topic}: an event with masked fields needs keys`);
  return masker;
}
