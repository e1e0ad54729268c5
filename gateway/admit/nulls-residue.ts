/** The residue of events that have nothing peculiar but null for some of their own optional fields, as many producers send it. */
import { encodeResidue } from "./envelope.ts";
import type { RecordPlan } from "./plan.ts";

/** A producer sends few combinations; the bound is for one that sends all there are. */
const MAX_REMEMBERED = 256;

/** Optional fields are told apart by the bits of a number: more of them than this are not remembered. */
const MAX_FIELDS = 31;

/** The encoded residue of an event with the flag `NULLS` and no other. The bytes are shared between events. */
export type NullsResidue = (event: Readonly<Record<string, unknown>>) => Uint8Array;

export function compileNullsResidue(plan: RecordPlan): NullsResidue {
  const optional = plan.fields.filter(({ required }) => !required);
  const remembered = new Map<number, Uint8Array>();

  function encode(event: Readonly<Record<string, unknown>>): Uint8Array {
    const entries = optional.flatMap(({ name, nullEntry }) => (event[name] === null ? [nullEntry] : []));
    return encodeResidue({ extra: null, lexical: `{${entries.join(",")}}` });
  }

  if (optional.length > MAX_FIELDS) return encode;
  const names = optional.map(({ name }) => name);
  return (event) => {
    let nulls = 0;
    for (const name of names) nulls = (nulls << 1) | (event[name] === null ? 1 : 0);
    const known = remembered.get(nulls);
    if (known !== undefined) return known;
    const residue = encode(event);
    if (remembered.size < MAX_REMEMBERED) remembered.set(nulls, residue);
    return residue;
  };
}
