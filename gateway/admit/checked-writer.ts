/**
 * The fast half of admission: one pass that checks an event and writes it as Avro, field by field in the order of the
 * schema. A tree of closures made once per contract and schema, so that no value is looked up or looked at twice. Where
 * a check fails the pass ends, and what it wrote is forgotten by its caller; `describe.ts` then says why, by walking the same
 * plan, and a property test holds the two together. Another test holds the bytes against avsc's.
 */
import { isRawNumber } from "../../schemas/exact-json.ts";
import { compileScalar } from "./checked-scalars.ts";
import { CLEAN, INVALID, LEXICAL, type Scratch, UNKNOWN_FIELDS, type WriteChecked } from "./fast-pass.ts";
import { compileFieldValues } from "./field-values.ts";
import { compileNullsResidue, type WriteNulls } from "./nulls-residue.ts";
import { type ArrayPlan, acceptedText, type RecordPlan, type ValuePlan } from "./plan.ts";
import { isRecord } from "./value-forms.ts";

/** The pass over a record: what it writes is the record and nothing else. */
export function compileCheckedWriter(plan: RecordPlan, scratch: Scratch): WriteChecked {
  return compileRecord(plan, scratch);
}

/**
 * The pass over an event: it also writes the residue in front of it, as far as that is null for fields of the event itself.
 * Many producers send nulls so: they alone make an event not `LEXICAL`.
 */
export function compileEventWriter(plan: RecordPlan, scratch: Scratch, keyField: string | null): WriteChecked {
  const keyPosition = plan.fields.findIndex(({ name }) => name === keyField);
  return compileRecord(plan, scratch, { writeNulls: compileNullsResidue(plan), keyPosition });
}

/** The pass over an event does more than that over a record inside it. */
interface OfEvent {
  readonly writeNulls: WriteNulls;
  /** The position of the field whose place in the output is noted; -1: of none. */
  readonly keyPosition: number;
}

function compileRecord(plan: RecordPlan, scratch: Scratch, ofEvent: OfEvent | null = null): WriteChecked {
  const { writeNulls = null, keyPosition = -1 } = ofEvent ?? {};
  const fieldValues = compileFieldValues(plan.fields.map(({ name }) => name));
  const fields = plan.fields.map(({ nullBranch, value }) => ({ nullBranch, write: compileValue(value, scratch) }));
  const onNull = writeNulls === null ? LEXICAL : CLEAN;
  return function writeRecord(record, output) {
    if (!isRecord(record)) return INVALID;
    let flags = CLEAN;
    const values = fieldValues.of(record);
    if (fieldValues.unknown > 0) {
      // A number kept as text is an object too, and would pass for a record of optional fields.
      if (isRawNumber(record)) return INVALID;
      flags = UNKNOWN_FIELDS;
    }
    if (writeNulls !== null) {
      writeNulls(values, output);
      scratch.eventStart = output.at;
      scratch.keyStart = -1;
    }
    let position = 0;
    for (const { nullBranch, write } of fields) {
      const value = values[position];
      if (value === undefined || value === null) {
        if (nullBranch === null) return INVALID;
        output.writeBranch(nullBranch);
        if (value === null) flags |= onNull;
      } else {
        if (nullBranch !== null) output.writeBranch(1 - nullBranch);
        if (position === keyPosition) scratch.keyStart = output.at;
        flags |= write(value, output);
        if (flags & INVALID) return INVALID;
      }
      position++;
    }
    return flags;
  };
}

function compileValue(plan: ValuePlan, scratch: Scratch): WriteChecked {
  const { accepted } = plan;
  const write = compileShape(plan, scratch);
  // A text looks at its accepted values itself.
  if (accepted === null || plan.kind === "string") return write;
  return (value, output) => {
    const flags = write(value, output);
    return flags & INVALID || accepted.has(acceptedText(plan.kind, value) ?? "") ? flags : INVALID;
  };
}

function compileShape(plan: ValuePlan, scratch: Scratch): WriteChecked {
  switch (plan.kind) {
    case "array":
      return compileArray(plan, scratch);
    case "record":
      return compileRecord(plan, scratch);
    default:
      return compileScalar(plan, scratch);
  }
}

function compileArray(plan: ArrayPlan, scratch: Scratch): WriteChecked {
  const { minItems, maxItems } = plan;
  const write = compileValue(plan.item, scratch);
  return function writeArray(items, output) {
    if (!Array.isArray(items) || items.length < minItems || items.length > maxItems) return INVALID;
    let flags = CLEAN;
    if (items.length > 0) {
      output.writeLong(items.length);
      for (let i = 0; i < items.length; i++) {
        flags |= write(items[i], output);
        if (flags & INVALID) return INVALID;
      }
    }
    output.writeLong(0);
    return flags;
  };
}
