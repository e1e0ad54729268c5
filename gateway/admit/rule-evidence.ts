/** What a broken record rule read: its detail names what was expected and the values that were there, as far as they may be shown. */
import type { ASTNode } from "@marcbachmann/cel-js";
import { isJsonObject } from "../../schemas/event-residue.ts";
import { MAX_DETAIL } from "./error-list.ts";
import { cut, disclose } from "./excerpt.ts";
import type { RecordPlan, ValuePlan } from "./plan.ts";

/** Names from the event inwards: `event.error.fatal` is `["error", "fatal"]`; empty: the event as a whole, so that any field may be read. */
export type FieldPath = readonly string[];

/** The values are what nobody else tells, so the expression gives way to them: it can be read at /v1/topics/TOPIC. */
const LEAST_EXPRESSION = 40;

/** The fields that a parsed rule names, in the order of its text, each once; of a list, what a macro reads of its items stands as the list. */
export function fieldsRead(ast: ASTNode): readonly FieldPath[] {
  const paths = new Map<string, FieldPath>();
  collect(ast, paths);
  return [...paths.values()];
}

/** `violation` ("why it does not hold"), then `expected <expression>, got <field> <value>, ...`. */
export function ruleDetail(
  violation: string,
  expression: string,
  reads: readonly FieldPath[],
  event: unknown,
  plan: RecordPlan,
): string {
  const named = reads.filter((path) => path.length > 0);
  const got = named.map((path) => `${path.join(".")} ${shown(event, path, plan)}`).join(", ");
  const end = got === "" ? "" : `, got ${got}`;
  const room = MAX_DETAIL - violation.length - ": expected ".length - end.length;
  return `${violation}: expected ${cut(expression, Math.max(LEAST_EXPRESSION, room))}${end}`;
}

function collect(node: unknown, paths: Map<string, FieldPath>): void {
  if (Array.isArray(node)) {
    for (const part of node) collect(part, paths);
  } else if (isNode(node)) {
    const path = pathOf(node);
    if (path !== undefined) paths.set(path.join("."), path);
    else collect(node.args, paths);
  }
}

interface Node {
  readonly op: string;
  readonly args: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

/** Undefined where the node is no member of the event. */
function pathOf(node: Node): string[] | undefined {
  if (node.op === "id") return node.args === "event" ? [] : undefined;
  if (node.op !== "." || !Array.isArray(node.args)) return undefined;
  const [object, name]: readonly unknown[] = node.args;
  const path = isNode(object) ? pathOf(object) : undefined;
  return path === undefined || typeof name !== "string" ? undefined : [...path, name];
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
