/** Paths without the names that a producer made up: in a topic with masked fields such a name may itself be personal data. */
import type { Path } from "../../schemas/event-residue.ts";
import type { RecordPlan, ValuePlan } from "./plan.ts";

/** The longest beginning of a path that the schema knows: to the object that holds the first unknown field. */
export function knownPath(path: Path, root: RecordPlan): Path {
  let plan: RecordPlan | ValuePlan | undefined = root;
  for (const [depth, part] of path.entries()) {
    plan = childOf(plan, part);
    if (plan === undefined) return path.slice(0, depth);
  }
  return path;
}

function childOf(plan: RecordPlan | ValuePlan, part: string | number): ValuePlan | undefined {
  if (plan.kind === "record") return typeof part === "string" ? plan.byName.get(part)?.value : undefined;
  return plan.kind === "array" && typeof part === "number" ? plan.item : undefined;
}
