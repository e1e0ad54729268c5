/** The residue of an event as far as it is null for some of its own optional fields: for most events with a residue that is all. */
import type { AvroOutput } from "../../schemas/avro-output.ts";
import { encodeResidue, writeNoResidue } from "./envelope.ts";
import type { RecordPlan } from "./plan.ts";

/** A producer sends few combinations; the bound is for one that sends all there are. */
const MAX_REMEMBERED = 256;

/** Optional fields are told apart by the bits of a number: the combinations of more of them are not remembered. */
const MAX_BITS = 31;

/** Writes the residue of an event whose fields have these values, in the order of the schema. */
export type WriteNulls = (values: readonly unknown[], output: AvroOutput) => void;

export function compileNullsResidue(plan: RecordPlan): WriteNulls {
  const bits = nullBitsOf(plan);
  const optional = plan.fields.flatMap(({ required }, position) => (required ? [] : [position]));
  if (optional.length > MAX_BITS) {
    return (values, output) => {
      const nulls = optional.flatMap((position) => (values[position] === null ? [position] : []));
      if (nulls.length === 0) writeNoResidue(output);
      else output.append(encodeNulls(plan, nulls));
    };
  }
  const residueOf = compileResidueOfBits(plan);
  return (values, output) => {
    let nulls = 0;
    for (const position of optional) if (values[position] === null) nulls |= bits[position] ?? 0;
    if (nulls === 0) writeNoResidue(output);
    else output.append(residueOf(nulls));
  };
}

/** The bit that stands for null in a field, by its position in the schema: 0 for a required one, and for all if there are too many. */
function nullBitsOf(plan: RecordPlan): readonly number[] {
  if (plan.fields.filter(({ required }) => !required).length > MAX_BITS) return plan.fields.map(() => 0);
  let bit = 0;
  return plan.fields.map(({ required }) => (required ? 0 : 1 << bit++));
}

/** The residue of events by the bits of the fields that are null. */
function compileResidueOfBits(plan: RecordPlan): (nulls: number) => Uint8Array {
  const bits = nullBitsOf(plan);
  const remembered = new Map<number, Uint8Array>();
  return (nulls) => {
    const known = remembered.get(nulls);
    if (known !== undefined) return known;
    const positions = bits.flatMap((bit, position) => (nulls & bit ? [position] : []));
    const residue = encodeNulls(plan, positions);
    if (remembered.size < MAX_REMEMBERED) remembered.set(nulls, residue);
    return residue;
  };
}

function encodeNulls({ fields }: RecordPlan, positions: readonly number[]): Uint8Array {
  const entries = positions.map((position) => fields[position]?.nullEntry);
  return encodeResidue({ extra: null, lexical: entries.length === 0 ? null : `{${entries.join(",")}}` });
}
