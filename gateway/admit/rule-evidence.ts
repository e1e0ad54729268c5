/** What a broken record rule read: its detail names what was expected and the values that were there, as far as they may be shown. */
import { isJsonObject } from "../../schemas/event-residue.ts";
import { MAX_DETAIL } from "./error-list.ts";
import { cut, disclose } from "./excerpt.ts";
import type { RecordPlan, ValuePlan } from "./plan.ts";

/** Names from the event inwards: `event.error.fatal` is `["error", "fatal"]`. */
export type FieldPath = readonly string[];

/** The values are what nobody else tells, so the expression gives way to them: it can be read at /v1/topics/TOPIC. */
const LEAST_EXPRESSION = 40;

/** `violation` ("why it does not hold"), then `expected <expression>, got <field> <value>, ...`. */
export function ruleDetail(
  violation: string,
  expression: string,
  reads: readonly FieldPath[],
  event: unknown,
  plan: RecordPlan,
): string {
  const got = reads.map((path) => `${path.join(".")} ${shown(event, path, plan)}`).join(", ");
  const end = got === "" ? "" : `, got ${got}`;
  const room = MAX_DETAIL - violation.length - ": expected ".length - end.length;
  return `${violation}: expected ${cut(expression, Math.max(LEAST_EXPRESSION, room))}${end}`;
}

function shown(event: unknown, path: FieldPath, plan: RecordPlan): string {
  let value = event;
  let fields: RecordPlan | undefined = plan;
  let field: ValuePlan | undefined;
  for (const name of path) {
    field = fields?.byName.get(name)?.value;
    fields = field?.kind === "record" ? field : undefined;
    value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  // A field that the plan does not know may hold anything: in a topic with masked fields it is not shown.
  return disclose(value, field?.disclosure ?? (plan.pii ? "nothing" : "any"));
}
