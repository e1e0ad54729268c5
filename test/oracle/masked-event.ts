/** The masked copy of a valid event, made by itself: what admission must have written in the place of the clear one. */

import { isKeptMasked, type RecordPlan, type ValuePlan } from "../../gateway/admit/plan.ts";
import type { Masker } from "../../gateway/masking/masker.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";

/** A copy with every masked field masked; the argument stays clear. Unknown fields are not copied: the residue has them, sealed. */
export function maskEvent(
  event: Readonly<Record<string, unknown>>,
  plan: RecordPlan,
  masker: Masker,
): Readonly<Record<string, unknown>> {
  const masked: Record<string, unknown> = {};
  for (const { name, value } of plan.fields) {
    const field = event[name];
    if (field !== undefined) masked[name] = maskValue(field, value, masker);
  }
  return masked;
}

function maskValue(value: unknown, plan: ValuePlan, masker: Masker): unknown {
  switch (plan.kind) {
    case "string":
      if (plan.masking === null || typeof value !== "string" || isKeptMasked(value, plan)) return value;
      return masker.mask(plan.masking, value);
    case "record":
      return isJsonObject(value) ? maskEvent(value, plan, masker) : value;
    case "array":
      return Array.isArray(value) ? value.map((item: unknown) => maskValue(item, plan.item, masker)) : value;
    default:
      return value;
  }
}
