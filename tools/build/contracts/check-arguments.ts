/** What a library check says that its metric does not read, and bounds that no measurement meets. */
import type { Bound, LibraryCheck } from "../../../contracts/contract.ts";
import { holds } from "../../../lakehouse/builds/gates/gate.ts";
import type { OdcsProperty } from "./odcs.ts";
import type { OdcsLibraryCheck } from "./odcs-quality.ts";

type Argument = keyof NonNullable<OdcsLibraryCheck["arguments"]>;

const READ: Readonly<Record<OdcsLibraryCheck["metric"], readonly Argument[]>> = {
  rowCount: [],
  nullValues: ["properties"],
  missingValues: ["missingValues", "properties"],
  invalidValues: ["validValues", "pattern", "properties"],
  duplicateValues: ["properties"],
};

/** `property` is the field that the check stands under. */
export function argumentProblems(entry: OdcsLibraryCheck, property: OdcsProperty | undefined): string[] {
  const { metric, unit } = entry;
  const given = Object.entries(entry.arguments ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const read: readonly string[] = READ[metric];
  const list = entry.arguments?.validValues?.filter((value) => value !== null) ?? [];
  const options = property?.logicalTypeOptions;
  return [
    ...given
      .filter((name) => !read.includes(name))
      .map((name) => `${metric} does not read arguments.${name}; it reads ${read.join(", ") || "none"}`),
    ...(metric === "rowCount" && unit === "percent" ? ["rowCount is a number of rows: leave out unit: percent"] : []),
    ...(metric === "invalidValues" && list.length === 0 && entry.arguments?.pattern === undefined
      ? ["invalidValues needs arguments.validValues, the values that are valid, or arguments.pattern, what they match"]
      : []),
    ...(entry.arguments?.pattern !== undefined && (options?.pattern ?? options?.format) !== undefined
      ? ["the field has a pattern or format already: give it once, there or in the check"]
      : []),
  ];
}

/** Why no measurement could meet a bound; undefined if one could. */
export function boundProblem(bound: Bound, unit: LibraryCheck["unit"]): string | undefined {
  const most = unit === "percent" ? 100 : Number.MAX_SAFE_INTEGER;
  const ends = typeof bound.value === "number" ? [bound.value] : bound.value;
  const near = ends.flatMap((end) =>
    unit === "percent" ? [end - 0.001, end, end + 0.001] : [Math.floor(end), Math.ceil(end), end - 1, end + 1],
  );
  const possible = [0, 1, most, ...near].filter(
    (value) => value >= 0 && value <= most && (unit === "percent" || Number.isInteger(value)),
  );
  if (possible.some((value) => holds(bound, value))) return undefined;
  const range = unit === "percent" ? "a percentage from 0 to 100" : "a whole number from 0";
  return `${bound.op}: ${JSON.stringify(bound.value)} is never met by ${range}: correct the bound`;
}
