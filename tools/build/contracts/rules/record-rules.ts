/** The record rules of a contract: each as the program that the gateway runs, or reported with its place. */
import type { FieldRule, RecordRule } from "../../../../contracts/contract.ts";
import { checkRule } from "./check-rule.ts";
import { RuleProblem } from "./context.ts";

type RuleSource = Omit<RecordRule, "program">;

/** Reports what is wrong with the rule of this number: with one of its properties, or on a line, from 1, of its expression. */
export type ReportRule = (
  position: number,
  property: "id" | "pointer" | "expression",
  line: number,
  message: string,
) => void;

/** `fields` are required only where every event has them. Rules that are reported are left out. */
export function compileRecordRules(
  rules: readonly RuleSource[],
  fields: readonly FieldRule[],
  report: ReportRule,
): RecordRule[] {
  const ids = new Set<string>();
  return rules.flatMap((rule, position) => {
    if (ids.has(rule.id))
      report(position, "id", 1, `two rules are called ${rule.id}: a verdict names a rule by its id`);
    ids.add(rule.id);
    const lost = lostStep(rule.pointer, fields);
    if (lost !== undefined)
      report(
        position,
        "pointer",
        1,
        `the pointer ${rule.pointer} of rule ${rule.id} leads to no field: there is no ${lost}`,
      );
    try {
      return [{ ...rule, program: checkRule(rule.expression, fields) }];
    } catch (error) {
      if (!(error instanceof RuleProblem)) throw error;
      const line = rule.expression.slice(0, error.at).split("\n").length;
      report(position, "expression", line, `rule ${rule.id}: ${error.message}`);
      return [];
    }
  });
}

/** The first part of a JSON pointer that names no field; a number stands for an item. */
function lostStep(pointer: string, fields: readonly FieldRule[]): string | undefined {
  let level = fields;
  let item: FieldRule | undefined;
  for (const part of pointer.split("/").slice(1)) {
    const isItem = item !== undefined && /^\d+$/.test(part);
    const field: FieldRule | undefined = isItem ? item : level.find(({ name }) => name === part);
    if (field === undefined) return part;
    level = field.fields ?? [];
    item = field.item;
  }
  return undefined;
}
