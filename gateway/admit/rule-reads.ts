/** Which of an event's own fields a record rule reads, by its parsed expression. */
import type { ASTNode } from "@marcbachmann/cel-js";

/** The names of the fields; null if the expression uses the event as a whole, so that it may read any. */
export function fieldsRead(ast: ASTNode): ReadonlySet<string> | null {
  const names = new Set<string>();
  return visit(ast, names) ? names : null;
}

/** False once the event itself is used otherwise than by `event.name`. Arguments are nodes, or lists of them, whatever the operator. */
function visit(part: unknown, names: Set<string>): boolean {
  if (Array.isArray(part)) return part.every((each) => visit(each, names));
  if (!isNode(part)) return true;
  if (part.op === "." && Array.isArray(part.args)) {
    const [object, name]: unknown[] = part.args;
    if (isNode(object) && isEvent(object) && typeof name === "string") {
      names.add(name);
      return true;
    }
  }
  return !isEvent(part) && visit(part.args, names);
}

function isEvent(node: Node): boolean {
  return node.op === "id" && node.args === "event";
}

interface Node {
  readonly op: string;
  readonly args: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}
