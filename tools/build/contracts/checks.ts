/** The quality checks of a contract that are executed: library checks, and SQL with its placeholders filled in. */
import type { Bound, Check, Layer, LibraryCheck, OnFail } from "../../../contracts/contract.ts";
import { silverTableName } from "../../../lakehouse/silver/columns.ts";
import type { Odcs, OdcsProperty } from "./odcs.ts";
import type { OdcsLibraryCheck, OdcsQualityEntry, OdcsSqlCheck } from "./odcs-quality.ts";
import { fillPlaceholders } from "./query-placeholders.ts";
import type { YamlDocument } from "./yaml-document.ts";

type Path = readonly PropertyKey[];

/** A check and where it stands. */
export interface CheckSource {
  readonly check: Check;
  readonly file: string;
  /** The line of the check in the file. */
  readonly line: number;
  /** The line in the file of a line, from 1, of the check's query. */
  queryLine(line: number): number;
}

interface Place {
  readonly file: string;
  readonly document: YamlDocument;
  report(path: Path, message: string): void;
}

/** The checks in the document's order, those of the table first. Reports each that could not be executed as it is written. */
export function contractChecks(table: Odcs["schema"][0], place: Place): CheckSource[] {
  const found: CheckSource[] = [];
  const add = (
    entries: readonly OdcsQualityEntry[] | undefined,
    at: Path,
    property: OdcsProperty | undefined,
  ): void => {
    for (const [index, entry] of (entries ?? []).entries()) {
      const path = [...at, "quality", index];
      const check = checkOf(table, entry, property, (message) => place.report(path, message));
      if (check === undefined) continue;
      if (found.some((other) => sameName(other.check, check)))
        place.report(path, `two ${check.layer} checks are named "${check.name}": give each a name of its own`);
      found.push({
        check,
        file: place.file,
        line: place.document.lineOf(path),
        queryLine: (line) => place.document.lineInText([...path, "query"], line),
      });
    }
  };
  add(table.quality, ["schema", 0], undefined);
  for (const [index, property] of table.properties.entries()) {
    const path = ["schema", 0, "properties", index];
    add(property.quality, path, property);
    refuseNestedSql(property, path, place);
  }
  return found;
}

type Problem = (message: string) => void;

function checkOf(
  table: Odcs["schema"][0],
  entry: OdcsQualityEntry,
  property: OdcsProperty | undefined,
  problem: Problem,
): Check | undefined {
  if (!("metric" in entry) && !("query" in entry)) return undefined;
  const bound = boundOf(entry);
  const base = { ...placementOf(entry, problem), bound };
  if ("query" in entry) {
    if (base.onFail === "quarantine") {
      problem("a check in SQL gives one number, not the rows that fail: say block or warn, or use a library check");
    }
    const object = base.layer === "gold" ? (base.table ?? "") : `${base.layer}_${table.name}`;
    const query = fillPlaceholders(entry.query, object, property?.name, problem);
    const name = entry.name ?? entry.id ?? `sql${property === undefined ? "" : ` of ${property.name}`}`;
    return { ...base, name, metric: "sql", query };
  }
  const check = libraryCheck(entry, property, base);
  if (base.onFail === "quarantine") checkQuarantine(check, table.name, problem);
  if (base.layer !== "gold") checkColumns(check, table.properties, problem);
  if (check.metric !== "rowCount" && check.columns.length === 0)
    problem(`${check.metric} measures no field: put it under a field, or name fields in arguments.properties`);
  if (check.metric === "invalidValues" && check.values.length === 0)
    problem("invalidValues needs arguments.validValues, the values that are valid");
  return check;
}

// A check on a field without a layer is a rule of admission (accepted values) and, again, a silver gate: what the edge
// enforced must still hold in the table.
function placementOf(
  entry: OdcsLibraryCheck | OdcsSqlCheck,
  problem: Problem,
): { readonly layer: Layer; readonly onFail: OnFail; readonly table?: string } {
  const custom = new Map((entry.customProperties ?? []).map(({ property, value }) => [property, value]));
  const layer = custom.get("layer") ?? "silver";
  const onFail = custom.get("onFail") ?? "block";
  const table = custom.get("table");
  if (!isLayer(layer)) problem(`layer ${JSON.stringify(layer)} is none of bronze, silver, gold`);
  if (!isOnFail(onFail)) problem(`onFail ${JSON.stringify(onFail)} is none of block, quarantine, warn`);
  if (layer === "gold" && typeof table !== "string")
    problem("a check at gold names its table: add the custom property table");
  if (layer !== "gold" && table !== undefined)
    problem("only a check at gold has the custom property table: at bronze and silver a topic has one table");
  return {
    layer: isLayer(layer) ? layer : "silver",
    onFail: isOnFail(onFail) ? onFail : "block",
    ...(typeof table === "string" ? { table } : {}),
  };
}

function libraryCheck(
  entry: OdcsLibraryCheck,
  property: OdcsProperty | undefined,
  base: Pick<LibraryCheck, "layer" | "onFail" | "table" | "bound">,
): LibraryCheck {
  const columns = entry.arguments?.properties ?? (property === undefined ? [] : [property.name]);
  return {
    ...base,
    name: entry.name ?? entry.id ?? `${entry.metric}${columns.length > 0 ? ` of ${columns.join(", ")}` : ""}`,
    metric: entry.metric,
    columns,
    values: entry.arguments?.validValues ?? entry.arguments?.missingValues ?? [],
    unit: entry.unit ?? "rows",
  };
}

function checkQuarantine(check: LibraryCheck, topic: string, problem: Problem): void {
  const { bound, layer, metric } = check;
  if (layer !== "silver")
    problem(`quarantine keeps rows out of ${silverTableName(topic)}: give the check layer silver`);
  if (metric === "rowCount") problem("rowCount is of no row in particular: say block or warn");
  // Taking rows out lowers the number: only an upper bound can come to hold by it.
  const upper = bound.op === "mustBeLessThan" || bound.op === "mustBeLessOrEqualTo";
  if (!upper && !(bound.op === "mustBe" && bound.value === 0))
    problem("quarantine needs an upper bound: mustBe: 0, mustBeLessThan or mustBeLessOrEqualTo");
}

function checkColumns(check: LibraryCheck, fields: readonly OdcsProperty[], problem: Problem): void {
  for (const column of check.columns) {
    const field = fields.find(({ name }) => name === column);
    if (field === undefined) problem(`check "${check.name}" measures "${column}", which is not a field`);
    else if (check.metric !== "nullValues" && (field.logicalType === "array" || field.logicalType === "object"))
      problem(`${check.metric} cannot measure "${column}", which is nested: write the check in SQL`);
  }
}

function refuseNestedSql(property: OdcsProperty, path: Path, place: Place): void {
  const visit = (children: readonly OdcsProperty[] | undefined, at: Path): void => {
    for (const [index, child] of (children ?? []).entries()) {
      const below = [...at, "properties", index];
      for (const [entry, quality] of (child.quality ?? []).entries())
        if ("query" in quality)
          place.report(
            [...below, "quality", entry],
            `a check in SQL stands under the table or one of its columns: move it up`,
          );
      visit(child.properties, below);
      visit(child.items?.properties, [...below, "items"]);
    }
  };
  visit(property.properties, path);
  visit(property.items?.properties, [...path, "items"]);
}

function sameName(a: Check, b: Check): boolean {
  return a.name === b.name && a.layer === b.layer && a.table === b.table;
}

const NUMBER_BOUNDS = [
  "mustBe",
  "mustNotBe",
  "mustBeGreaterThan",
  "mustBeGreaterOrEqualTo",
  "mustBeLessThan",
  "mustBeLessOrEqualTo",
] as const;

/** The one bound that an entry has, by its schema. */
function boundOf(entry: OdcsLibraryCheck | OdcsSqlCheck): Bound {
  for (const op of NUMBER_BOUNDS) {
    const value = entry[op];
    if (value !== undefined) return { op, value };
  }
  if (entry.mustBeBetween !== undefined) return { op: "mustBeBetween", value: entry.mustBeBetween };
  if (entry.mustNotBeBetween !== undefined) return { op: "mustNotBeBetween", value: entry.mustNotBeBetween };
  throw new Error("a check without a bound got past its schema");
}

function isLayer(value: unknown): value is Layer {
  return value === "bronze" || value === "silver" || value === "gold";
}

function isOnFail(value: unknown): value is OnFail {
  return value === "block" || value === "quarantine" || value === "warn";
}
