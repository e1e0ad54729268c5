/** What a builder measured, as the results of the checks that its order asked for. Pure. */
import type { LibraryCheck } from "../../../contracts/contract.ts";
import type { ModelTable } from "../../tables/catalog.ts";
import type { RunnableCheck } from "../../tables/compiled/compiled-check.ts";
import { type CheckResult, holds } from "../gates/gate.ts";
import { judgedChecks } from "../gates/judged.ts";
import { measuredOf, measureName } from "../gates/measures.ts";
import { hasClosed } from "../planning/dependencies.ts";
import { OutputMismatchError } from "./outputs.ts";
import type { Standing } from "./standing.ts";
import type { WireMeasure } from "./wire.ts";

/** `rows`: of all files. Throws `OutputMismatchError` where a measure is missing, or is of other rows. */
export function checkResults(
  table: Pick<ModelTable, "checks" | "layer">,
  { lease }: Pick<Standing, "lease">,
  measures: readonly WireMeasure[],
  rows: number,
): CheckResult[] {
  const asked = judgedChecks(table.checks, hasClosed(lease)).filter(({ layer }) => layer === table.layer);
  const byId = new Map(measures.map((measure) => [measure.id, measure]));
  if (byId.size !== measures.length || byId.size !== new Set(asked.map(measureName)).size)
    throw new OutputMismatchError(`the build has ${measures.length} measures for ${asked.length} checks`);
  return asked.map((check) => resultOf(check, byId.get(measureName(check)), rows));
}

function resultOf(check: RunnableCheck, measure: WireMeasure | undefined, rows: number): CheckResult {
  if (measure === undefined) throw new OutputMismatchError(`the build has no measure of the check "${check.name}"`);
  if (check.metric === "sql") {
    const { value, problem = "the query gave NULL" } = measure;
    if (value === undefined) throw new OutputMismatchError(`the measure of the check "${check.name}" has no value`);
    if (value === null) return { check, measured: null, passed: false, failingRows: [], problem };
    return { check, measured: value, passed: holds(check.bound, value), failingRows: [] };
  }
  const measured = countedOf(check, measure, rows);
  return { check, measured, passed: holds(check.bound, measured), failingRows: [] };
}

function countedOf(check: LibraryCheck, { rows: counted, of }: WireMeasure, rows: number): number {
  if (counted === undefined || of === undefined)
    throw new OutputMismatchError(`the measure of the check "${check.name}" has no rows`);
  if (of !== rows || counted > of || (check.metric === "rowCount" && counted !== of))
    throw new OutputMismatchError(
      `the check "${check.name}" was measured over ${of} rows, ${counted} of them counted; the files have ${rows}`,
    );
  return measuredOf(check, { rows: counted, of });
}
