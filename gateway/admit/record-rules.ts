/**
 * A contract's record rules (CEL, the Common Expression Language) as functions. Parsed at module scope; evaluating a
 * parsed rule interprets its tree and generates no code, so it runs inside a request.
 */
import { Environment } from "@marcbachmann/cel-js";
import type { RecordRule } from "../../contracts/contract.ts";
import { registerRuleFunctions } from "../../contracts/rule-functions.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import { isRawNumber } from "../../schemas/exact-json.ts";
import type { RecordPlan, ValuePlan } from "./plan.ts";
import { BAIL, compileFastRule, type FastRule } from "./rule-closures.ts";
import { type FieldPath, fieldsRead } from "./rule-evidence.ts";
import { integerOf, scalarText } from "./value-forms.ts";

export interface CompiledRule extends RecordRule {
  /** The fields that it reads; an empty path: the event as a whole. */
  readonly reads: readonly FieldPath[];
  /** null: it holds. Else why not; an expression that cannot be evaluated does not hold. */
  violation(event: unknown): string | null;
}

interface ParsedRule {
  readonly evaluate: ReturnType<Environment["parse"]>;
  readonly fast: FastRule | undefined;
  readonly reads: readonly FieldPath[];
}

const environment = registerRuleFunctions(new Environment().registerVariable("event", "map"));

/** By the contract's own object: every schema version of a topic has the same rules, and parsing them is a good part of the start. */
const parsedRules = new WeakMap<RecordRule, ParsedRule>();

function parsedRule(rule: RecordRule): ParsedRule {
  let parsed = parsedRules.get(rule);
  if (parsed === undefined) {
    const evaluate = environment.parse(rule.expression);
    const { ast } = evaluate;
    parsed = { evaluate, fast: compileFastRule(ast), reads: fieldsRead(ast) };
    parsedRules.set(rule, parsed);
  }
  return parsed;
}

export function compileRules(rules: readonly RecordRule[], plan: RecordPlan): readonly CompiledRule[] {
  return rules.map((rule) => {
    const { evaluate, fast, reads } = parsedRule(rule);
    return {
      ...rule,
      reads,
      violation(event) {
        const decided = fast === undefined ? BAIL : fast(event);
        if (decided === true) return null;
        if (decided === false) return rule.description;
        try {
          const result: unknown = evaluate({ event: ruleInput(event, plan) });
          return result === true ? null : rule.description;
        } catch (error) {
          const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
          return `${rule.description} (the rule cannot be evaluated: ${reason})`;
        }
      },
    };
  });
}

/**
 * The event as rules see it: typed fields only, absent where null was sent, decimals as numbers whatever they were sent as.
 * The closures see it so without a copy; this one is for the library, which also refuses a map with a key such as `constructor`.
 */
function ruleInput(event: unknown, plan: RecordPlan): unknown {
  if (!isJsonObject(event)) return event;
  const input: Record<string, unknown> = {};
  for (const { name, value } of plan.fields) {
    const field = event[name];
    if (field !== undefined && field !== null) input[name] = ruleValue(field, value);
  }
  return input;
}

function ruleValue(value: unknown, plan: ValuePlan): unknown {
  switch (plan.kind) {
    case "decimal":
      return Number(scalarText(value));
    case "integer":
      return isRawNumber(value) ? (integerOf(value) ?? value) : value;
    case "record":
      return ruleInput(value, plan);
    case "array":
      return Array.isArray(value) ? value.map((item) => ruleValue(item, plan.item)) : value;
    default:
      return value;
  }
}
