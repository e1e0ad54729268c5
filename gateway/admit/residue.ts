/**
 * What a valid event has beyond its schema, on the way out: unknown fields to `extra`, values in another form to `lexical`
 * (`schemas/event-residue.ts` has the format and the way back). Only runs for events that the check flagged.
 */
import { jsonFromUnscaled } from "../../schemas/decimal.ts";
import { createResidueWriter, isJsonObject, type Path, type ResidueWriter } from "../../schemas/event-residue.ts";
import { isRawNumber } from "../../schemas/exact-json.ts";
import { isCanonicalTimestamp } from "../../schemas/time.ts";
import type { Residue } from "./envelope.ts";
import { isDeeperThan, MAX_UNKNOWN_DEPTH } from "./json-walk.ts";
import type { RecordPlan, ValuePlan } from "./plan.ts";
import { integerOf, isCanonicalInteger, unscaledOf } from "./value-forms.ts";

/**
 * Takes the residue of an event that passed the check; null if an unknown value nests too deep to be kept. Numbers kept
 * as text in double fields are replaced in the event by their nearest double, which is what the column holds.
 */
export function takeResidue(event: Record<string, unknown>, plan: RecordPlan): Residue | null {
  const writer = createResidueWriter();
  return visitRecord(event, plan, [], writer) ? writer.finish() : null;
}

function visitRecord(record: Record<string, unknown>, plan: RecordPlan, path: Path, writer: ResidueWriter): boolean {
  for (const key of Object.keys(record)) {
    const field = plan.byName.get(key);
    const value = record[key];
    if (field === undefined) {
      if (isDeeperThan(value, MAX_UNKNOWN_DEPTH)) return false;
      writer.addExtra(path, key, value);
    } else if (value === null) {
      writer.addLexical([...path, key], null);
    } else if (field.value.kind === "double" && isRawNumber(value)) {
      writer.addLexical([...path, key], value);
      record[key] = Number(value.rawJSON);
    } else if (!visitValue(value, field.value, path, key, writer)) {
      return false;
    }
  }
  return true;
}

function visitValue(
  value: unknown,
  plan: ValuePlan,
  parent: Path,
  part: string | number,
  writer: ResidueWriter,
): boolean {
  switch (plan.kind) {
    case "timestamp":
      if (typeof value === "string" && !isCanonicalTimestamp(value)) writer.addLexical([...parent, part], value);
      return true;
    case "integer": {
      const integer = isRawNumber(value) ? integerOf(value) : undefined;
      if (integer !== undefined && !isCanonicalInteger(value, integer)) writer.addLexical([...parent, part], value);
      return true;
    }
    case "decimal": {
      const unscaled = unscaledOf(value, plan);
      if (unscaled !== undefined && jsonFromUnscaled(unscaled, plan.scale) !== value)
        writer.addLexical([...parent, part], value);
      return true;
    }
    case "record":
      return !isJsonObject(value) || visitRecord(value, plan, [...parent, part], writer);
    case "array":
      return !Array.isArray(value) || visitItems(value, plan.item, [...parent, part], writer);
    default:
      return true;
  }
}

function visitItems(items: unknown[], plan: ValuePlan, path: Path, writer: ResidueWriter): boolean {
  return items.every((item, index) => {
    if (plan.kind === "double" && isRawNumber(item)) {
      writer.addLexical([...path, index], item);
      items[index] = Number(item.rawJSON);
    }
    return visitValue(item, plan, path, index, writer);
  });
}
