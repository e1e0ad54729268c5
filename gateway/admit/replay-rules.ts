/** Record rules for replays. A rule cannot be held against a value that stands masked: it was judged when the value was clear. */
import { isJsonObject } from "../../schemas/event-residue.ts";
import { isKeptMasked, type RecordPlan, type ValuePlan } from "./plan.ts";
import type { CompiledRule } from "./record-rules.ts";

/** The same rules; each holds for an event in which a field that it reads has a masked value. */
export function rulesForReplay(rules: readonly CompiledRule[], plan: RecordPlan): readonly CompiledRule[] {
  return rules.map((rule) => ({
    ...rule,
    violation: (event) => (readsMasked(rule, event, plan) ? null : rule.violation(event)),
  }));
}

/** Whether a rule reads a field of this event in which a masked value stands. */
export function readsMasked(rule: CompiledRule, event: unknown, plan: RecordPlan): boolean {
  if (!isJsonObject(event)) return false;
  const reads = (name: string) => rule.program.reads.some(([first]) => first === name);
  return plan.fields.some(({ name, value }) => reads(name) && holdsMasked(event[name], value));
}

function holdsMasked(value: unknown, plan: ValuePlan): boolean {
  switch (plan.kind) {
    case "record":
      return isJsonObject(value) && plan.fields.some((field) => holdsMasked(value[field.name], field.value));
    case "array":
      return Array.isArray(value) && value.some((item: unknown) => holdsMasked(item, plan.item));
    default:
      return isKeptMasked(value, plan);
  }
}
