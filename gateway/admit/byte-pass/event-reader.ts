/** The byte pass over an event: it also writes the residue in front of it, which of such an event is null for some of its own fields. */
import { compileResidueOfBits, nullBitsOf } from "../nulls-residue.ts";
import type { RecordPlan } from "../plan.ts";
import { FAIL, type Leavings, type ReadValue } from "./byte-pass.ts";
import { compileRecord } from "./records.ts";

export interface EventReader {
  /** Writes the event and its residue. */
  readonly read: ReadValue;
  /** Of the last event: its time, and as what was kept an object of the members that were asked for. */
  readonly leavings: Leavings;
}

/** `members`: the names of the members that somebody reads, at any depth. */
export function compileEventReader(plan: RecordPlan, members: ReadonlySet<string>): EventReader {
  const leavings: Leavings = { kept: null, eventMicros: 0, nulls: 0 };
  const readRecord = compileRecord(plan, nullBitsOf(plan), leavings, members);
  const residueOf = compileResidueOfBits(plan);
  /** Which fields were null in the event before: mostly those of the next one, whose residue then stands where it belongs. */
  let guess = 0;
  return {
    leavings,
    read(json, at, output) {
      const start = output.at;
      output.append(residueOf(guess));
      const eventStart = output.at;
      leavings.nulls = 0;
      const end = readRecord(json, at, output);
      const { nulls } = leavings;
      if (end !== FAIL && nulls !== guess) {
        output.replace(start, eventStart, residueOf(nulls));
        guess = nulls;
      }
      return end;
    },
  };
}
