/** The byte pass over records and arrays: members are written as they come, and put in the order of the schema at the end. */
import { AvroOutput } from "../../../schemas/avro-output.ts";
import { type ArrayPlan, MAX_EVENT_BYTES, type RecordPlan, type ValuePlan } from "../plan.ts";
import { standsAt } from "./ascii.ts";
import { afterSpace, FAIL, type Keep, type Leavings, type ReadValue } from "./byte-pass.ts";
import { FieldOrder } from "./field-order.ts";
import { compileKeys } from "./keys.ts";
import { compileScalar } from "./scalars.ts";

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LETTER_N = 0x6e;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const NULL = new TextEncoder().encode("null");

/** The largest count that is one byte in Avro. */
const ONE_BYTE = 63;

/**
 * Members come in any order, mostly in the one of the event before; a field that comes twice is not taken, since the last
 * one counts. `nullBits`: what `null` for a field leaves behind, by position; 0 where a field must not be null.
 */
export function compileRecord(
  plan: RecordPlan,
  nullBits: readonly number[],
  leavings: Leavings,
  keep: Keep,
): ReadValue {
  const keys = compileKeys(plan.fields.map(({ name }) => name));
  const fields = plan.fields.map(({ name, nullBranch, required, value }, position) => {
    const kept = keep?.has(name) === true;
    return {
      name,
      nullBranch,
      required,
      kept,
      nullBit: nullBits[position] ?? 0,
      keyLength: keys.lengths[position] ?? 0,
      read: compileValue(value, leavings, kept ? keep : null),
    };
  });
  const count = fields.length;
  const required = fields.filter((field) => field.required).length;
  const order = new FieldOrder(plan.fields.map(({ nullBranch }) => nullBranch));

  return function readRecord(json, at, output) {
    const { bytes } = json;
    if (bytes[at] !== OPEN_BRACE) return FAIL;
    const begin = output.at;
    const record: Record<string, unknown> | null = keep === null ? null : {};
    order.begin(output);
    let inOrder = true;
    let missing = required;
    /** 1 + the position of the last member. */
    let before = 0;
    let next = afterSpace(bytes, at + 1);
    // A brace behind a comma is no key.
    while (bytes[next] !== CLOSE_BRACE || before > 0) {
      const position = keys.fieldAt(json, next, before);
      // Never indexed with it: one such access makes all that follow slow.
      if (position === FAIL || order.has(position)) return FAIL;
      const field = fields[position];
      if (field === undefined) return FAIL;
      if (position < before) inOrder = false;
      else if (position > before) order.writeAbsent(before, position, output);
      before = position + 1;
      order.beginField(position, output);
      next = afterSpace(bytes, next + field.keyLength);
      if (bytes[next] === LETTER_N) {
        if (field.nullBit === 0 || field.nullBranch === null || !standsAt(NULL, bytes, next)) return FAIL;
        leavings.nulls |= field.nullBit;
        output.writeBranch(field.nullBranch);
        next += NULL.length;
        leavings.kept = null;
      } else {
        if (field.nullBranch !== null) output.writeBranch(1 - field.nullBranch);
        next = field.read(json, next, output);
        if (next === FAIL) return FAIL;
      }
      order.endField(position, output);
      if (field.required) missing--;
      if (field.kept && record !== null) record[field.name] = leavings.kept;
      next = afterSpace(bytes, next);
      if (bytes[next] === CLOSE_BRACE) break;
      if (bytes[next] !== COMMA) return FAIL;
      next = afterSpace(bytes, next + 1);
    }
    if (missing > 0) return FAIL;
    if (inOrder) {
      order.writeAbsent(before, count, output);
    } else {
      order.writeAbsent(0, count, output);
      // Room for what is put aside is kept for good.
      if (output.at - begin > MAX_EVENT_BYTES) return FAIL;
      order.putInOrder(output);
    }
    leavings.kept = record;
    return next + 1;
  };
}

function compileValue(plan: ValuePlan, leavings: Leavings, keep: Keep): ReadValue {
  const { accepted } = plan;
  // A text looks at its accepted values itself.
  if (accepted === null || plan.kind === "string") return compileShape(plan, leavings, keep);
  const read = compileShape(plan, leavings, keep ?? new Set());
  return (json, at, output) => {
    const end = read(json, at, output);
    return end === FAIL || accepted.has(String(leavings.kept)) ? end : FAIL;
  };
}

function compileShape(plan: ValuePlan, leavings: Leavings, keep: Keep): ReadValue {
  switch (plan.kind) {
    case "array":
      return compileArray(plan, leavings, keep);
    case "record":
      return compileRecord(plan, [], leavings, keep);
    default:
      return compileScalar(plan, leavings, keep);
  }
}

function compileArray(plan: ArrayPlan, leavings: Leavings, keep: Keep): ReadValue {
  const { minItems, maxItems } = plan;
  const read = compileValue(plan.item, leavings, keep);
  const counted = new AvroOutput(16);
  return function readArray(json, at, output) {
    const { bytes } = json;
    if (bytes[at] !== OPEN_BRACKET) return FAIL;
    const items: unknown[] | null = keep === null ? null : [];
    let count = 0;
    let next = afterSpace(bytes, at + 1);
    if (bytes[next] !== CLOSE_BRACKET) {
      // The count stands in front of the items; for most arrays it is one byte.
      const begin = output.at;
      output.writeLong(0);
      for (;;) {
        next = read(json, next, output);
        if (next === FAIL || ++count > maxItems || output.at - begin > MAX_EVENT_BYTES) return FAIL;
        items?.push(leavings.kept);
        next = afterSpace(bytes, next);
        if (bytes[next] === CLOSE_BRACKET) break;
        if (bytes[next] !== COMMA) return FAIL;
        next = afterSpace(bytes, next + 1);
      }
      if (count <= ONE_BYTE) {
        output.bytes[begin] = count << 1;
      } else {
        counted.at = 0;
        counted.writeLong(count);
        output.replace(begin, begin + 1, counted.slice(0, counted.at));
      }
    }
    if (count < minItems) return FAIL;
    output.writeLong(0);
    leavings.kept = items;
    return next + 1;
  };
}
