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
  const optional = plan.fields.flatMap(({ required, nullEntry }, position) =>
    required ? [] : [{ position, nullEntry }],
  );
  const positions = optional.map(({ position }) => position);
  const remembered = new Map<number, Uint8Array>();

  function encode(values: readonly unknown[]): Uint8Array {
    const entries = optional.flatMap(({ position, nullEntry }) => (values[position] === null ? [nullEntry] : []));
    return encodeResidue({ extra: null, lexical: `{${entries.join(",")}}` });
  }

  if (optional.length > MAX_BITS) {
    return (values, output) => {
      if (positions.some((position) => values[position] === null)) output.append(encode(values));
      else writeNoResidue(output);
    };
  }
  return (values, output) => {
    let nulls = 0;
    for (const position of positions) nulls = (nulls << 1) | (values[position] === null ? 1 : 0);
    if (nulls === 0) {
      writeNoResidue(output);
      return;
    }
    const known = remembered.get(nulls);
    const residue = known ?? encode(values);
    if (known === undefined && remembered.size < MAX_REMEMBERED) remembered.set(nulls, residue);
    output.append(residue);
  };
}
