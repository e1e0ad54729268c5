/** The patterns of a contract: translated to what the gateway runs, or refused with their place. */
import { compilePattern, patternProblem } from "../../../contracts/patterns/pattern.ts";
import type { OdcsItem, OdcsProperty } from "./odcs.ts";

type Path = readonly PropertyKey[];

/** The pattern of ECMA-262 as one with the flag u; one that `checkPatterns` refuses stays as it is. */
export function translatePattern(pattern: string): string {
  return patternProblem(pattern, "ecma") === undefined ? compilePattern(pattern, "ecma").source : pattern;
}

/** Reports each pattern under `properties` that no gateway could run in bounded time and memory. */
export function checkPatterns(
  properties: readonly OdcsProperty[],
  at: Path,
  report: (path: Path, message: string) => void,
): void {
  properties.forEach((property, index) => {
    checkValue(property, [...at, index], report);
  });
}

function checkValue(property: OdcsProperty | OdcsItem, at: Path, report: (path: Path, message: string) => void): void {
  const pattern = property.logicalTypeOptions?.pattern;
  const problem = pattern === undefined ? undefined : patternProblem(pattern, "ecma");
  if (problem !== undefined) report([...at, "logicalTypeOptions", "pattern"], `pattern ${pattern}: ${problem}`);
  checkPatterns(property.properties ?? [], [...at, "properties"], report);
  if ("items" in property && property.items !== undefined) checkValue(property.items, [...at, "items"], report);
}
