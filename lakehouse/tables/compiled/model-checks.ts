/** The checks of a model's front matter in the form that contracts use: one evaluator serves both. */
import { keptTime, usualTime } from "../../../contracts/check-time.ts";
import type { Bound, LibraryCheck } from "../../../contracts/contract.ts";
import type { CompiledModel, ModelCheck } from "../../engine/ir/ir.ts";

/** The model's checks, and the one that its `key` is: two rows of one key hold the candidate back. */
export function modelChecks(model: Pick<CompiledModel, "checks" | "key" | "layer">): LibraryCheck[] {
  return [keyCheck(model), ...model.checks.map((check) => libraryCheck(check, model.layer))];
}

function keyCheck({ key, layer }: Pick<CompiledModel, "key" | "layer">): LibraryCheck {
  return {
    name: `key ${key.join(", ")}`,
    layer,
    metric: "duplicateValues",
    columns: key,
    values: [],
    unit: "rows",
    // NULL is a value of a key like any other: GROUP BY gives one group of it.
    nullsEqual: true,
    bound: { op: "mustBe", value: 0 },
    onFail: "block",
  };
}

function libraryCheck(check: ModelCheck, layer: CompiledModel["layer"]): LibraryCheck {
  const columns = columnsOf(check);
  const bound = boundOf(check);
  return {
    name: `${check.metric}${columns.length > 0 ? ` of ${columns.join(", ")}` : ""}`,
    layer,
    metric: check.metric,
    columns,
    values: check.metric === "invalidValues" ? check.validValues : [],
    unit: "rows",
    bound,
    onFail: check.on_fail,
    ...keptTime(check.when ?? usualTime({ metric: check.metric, unit: "rows", bound })),
  };
}

function columnsOf(check: ModelCheck): readonly string[] {
  switch (check.metric) {
    case "rowCount":
      return [];
    case "duplicateValues":
      return check.columns;
    default:
      return [check.column];
  }
}

function boundOf(check: ModelCheck): Bound {
  if (check.mustBe !== undefined) return { op: "mustBe", value: check.mustBe };
  if (check.mustNotBe !== undefined) return { op: "mustNotBe", value: check.mustNotBe };
  if (check.mustBeGreaterThan !== undefined) return { op: "mustBeGreaterThan", value: check.mustBeGreaterThan };
  if (check.mustBeGreaterOrEqualTo !== undefined)
    return { op: "mustBeGreaterOrEqualTo", value: check.mustBeGreaterOrEqualTo };
  if (check.mustBeLessThan !== undefined) return { op: "mustBeLessThan", value: check.mustBeLessThan };
  if (check.mustBeLessOrEqualTo !== undefined) return { op: "mustBeLessOrEqualTo", value: check.mustBeLessOrEqualTo };
  if (check.mustBeBetween !== undefined) return { op: "mustBeBetween", value: check.mustBeBetween };
  throw new Error(`a ${check.metric} check has no bound`);
}
