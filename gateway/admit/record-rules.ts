/** A contract's record rules as functions of an event: what the build checked, run. */
import type { Contract, FieldRule, RecordRule } from "../../contracts/contract.ts";
import { compileRule, type Rule } from "../../contracts/rules/evaluate.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import type { RecordPlan, ValuePlan } from "./plan.ts";

export interface CompiledRule extends RecordRule {
  /** null: it holds. Else why not; a rule that cannot be evaluated does not hold. */
  violation(event: unknown): string | null;
}

/** By the contract's own object: every schema version of a topic has the same rules. */
const compiled = new WeakMap<RecordRule, Rule>();

function compiledRule(rule: RecordRule): Rule {
  const known = compiled.get(rule);
  if (known !== undefined) return known;
  const evaluate = compileRule(rule.program);
  compiled.set(rule, evaluate);
  return evaluate;
}

/** The rules of a contract for events of one schema version, whose plan this is. */
export function compileRules(
  { rules, fields }: Pick<Contract, "rules" | "fields">,
  plan: RecordPlan,
): readonly CompiledRule[] {
  const missing = missingFields(plan, fields);
  return rules.map((rule) => {
    const evaluate = compiledRule(rule);
    const isWhole = !readsAny(rule.program.body, missing);
    return {
      ...rule,
      violation(event) {
        const result = evaluate(isWhole ? event : knownTo(event, plan));
        if (result === true) return null;
        if (result === false) return rule.description;
        return `${rule.description} (the rule cannot be evaluated: ${result.reason})`;
      },
    };
  });
}

/** The names of the contract's fields that a schema version lacks, nested ones too. */
function missingFields(plan: RecordPlan, fields: readonly FieldRule[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const field of fields) {
    const value = plan.byName.get(field.name)?.value;
    if (value === undefined) names.add(field.name);
    const inner = value?.kind === "array" ? value.item : value;
    if (inner?.kind !== "record") continue;
    for (const name of missingFields(inner, field.item?.fields ?? field.fields ?? [])) names.add(name);
  }
  return names;
}

/** Whether a part of a rule reads a field of one of these names. */
function readsAny(part: unknown, names: ReadonlySet<string>): boolean {
  if (names.size === 0 || typeof part !== "object" || part === null) return false;
  if ("op" in part && "name" in part && typeof part.name === "string" && names.has(part.name)) return true;
  return Object.values(part).some((each) => readsAny(each, names));
}

/**
 * An event of an older schema version may have an unknown field with the name of a later one's, and of any type. To a rule, as to the
 * table, it is no value of that field: rules see what the event's own version knows.
 */
function knownTo(value: unknown, plan: ValuePlan | RecordPlan): unknown {
  if (plan.kind === "array") {
    return Array.isArray(value) ? value.map((item: unknown) => knownTo(item, plan.item)) : value;
  }
  if (plan.kind !== "record" || !isJsonObject(value)) return value;
  return Object.fromEntries(plan.fields.map((field) => [field.name, knownTo(value[field.name], field.value)]));
}
