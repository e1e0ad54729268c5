/** The quality checks of a contract that are executed: library checks, and SQL with its placeholders filled in. */
import { allowsNone, CHECK_TIMES, keptTime, usualTime } from "../../../contracts/check-time.ts";
import type { Bound, Check, CheckTime, Layer, LibraryCheck, OnFail } from "../../../contracts/contract.ts";
import { patternProblem } from "../../../contracts/patterns/pattern.ts";
import { silverTableName } from "../../../lakehouse/tables/silver-columns.ts";
import { argumentProblems, boundProblem } from "./check-arguments.ts";
import { heldAtTheDoor, listedTexts, valueProblem } from "./check-values.ts";
import type { Odcs, OdcsItem, OdcsProperty } from "./odcs.ts";
import type { OdcsLibraryCheck, OdcsQualityEntry, OdcsSqlCheck } from "./odcs-quality.ts";
import { translatePattern } from "./patterns.ts";
import { fillPlaceholders } from "./query-placeholders.ts";
import type { YamlDocument } from "./yaml-document.ts";

type Path = readonly PropertyKey[];

/** A check and where it stands. */
export interface CheckSource {
  readonly check: Check;
  readonly file: string;
  /** The line of the check in the file. */
  readonly line: number;
  /** When it says that it is judged; undefined: it does not say. */
  readonly asked: CheckTime | undefined;
  /** Whether the bound is true or false: what a query then has to answer. */
  readonly truth: boolean;
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
        asked: askedTime(entry),
        truth: "query" in entry && (typeof entry.mustBe === "boolean" || typeof entry.mustNotBe === "boolean"),
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
    refuseNested(property, path, place);
  }
  return found;
}

function askedTime(entry: OdcsQualityEntry): CheckTime | undefined {
  const custom = "metric" in entry || "query" in entry ? (entry.customProperties ?? []) : [];
  const when = custom.find(({ property }) => property === "when")?.value;
  return CHECK_TIMES.find((time) => time === when);
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
  const asked = askedTime(entry);
  const metric = "query" in entry ? "sql" : entry.metric;
  const unit = "query" in entry ? "rows" : (entry.unit ?? "rows");
  const time = keptTime(asked ?? usualTime({ metric, unit, bound }));
  const base = { ...placementOf(entry, problem), ...time, bound };
  if ("query" in entry) {
    if (base.onFail === "quarantine") {
      problem("a check in SQL gives one number, not the rows that fail: say block or warn, or use a library check");
    }
    const object = base.layer === "gold" ? (base.table ?? "") : `${base.layer}_${table.name}`;
    const query = fillPlaceholders(entry.query, object, property?.name, problem);
    const name = entry.name ?? entry.id ?? `sql${property === undefined ? "" : ` of ${property.name}`}`;
    return { ...base, name, metric: "sql", query };
  }
  const check = libraryCheck(entry, property, table.properties, base);
  for (const message of argumentProblems(entry, property)) problem(message);
  if (base.onFail === "quarantine") {
    checkQuarantine(check, table.name, problem);
    if (asked === "increment" && !allowsNone(check))
      problem(
        "quarantine with a tolerance takes rows out by what all of the day measures: leave out when, so that it is judged at the closing, or write mustBe: 0",
      );
  }
  if (base.layer !== "gold") checkColumns(check, entry, table.properties, problem);
  if (check.metric !== "rowCount" && check.columns.length === 0)
    problem(`${check.metric} measures no field: put it under a field, or name fields in arguments.properties`);
  const never = boundProblem(bound, check.unit);
  if (never !== undefined) problem(never);
  return check;
}

// A check without a layer is silver's. One that is a rule of admission (`heldAtTheDoor`) is a gate as well: what the edge
// enforced must still hold in the table.
function placementOf(
  entry: OdcsLibraryCheck | OdcsSqlCheck,
  problem: Problem,
): { readonly layer: Layer; readonly onFail: OnFail; readonly table?: string } {
  const custom = new Map((entry.customProperties ?? []).map(({ property, value }) => [property, value]));
  const layer = custom.get("layer") ?? "silver";
  const onFail = custom.get("onFail") ?? "block";
  const table = custom.get("table");
  const when = custom.get("when");
  if (when !== undefined && askedTime(entry) === undefined)
    problem(`when ${JSON.stringify(when)} is none of ${CHECK_TIMES.join(", ")}`);
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
  fields: readonly OdcsProperty[],
  base: Pick<LibraryCheck, "layer" | "onFail" | "table" | "bound" | "when">,
): LibraryCheck {
  const columns = entry.arguments?.properties ?? (property === undefined ? [] : [property.name]);
  // The columns of a gold table have types of their own; the gate compares by those.
  const type = base.layer === "gold" ? undefined : fields.find(({ name }) => name === columns[0])?.logicalType;
  const { validValues, missingValues, pattern } = entry.arguments ?? {};
  return {
    ...base,
    name: entry.name ?? entry.id ?? `${entry.metric}${columns.length > 0 ? ` of ${columns.join(", ")}` : ""}`,
    metric: entry.metric,
    columns,
    values: listedTexts((entry.metric === "missingValues" ? missingValues : validValues) ?? [], type),
    ...(pattern === undefined ? {} : { pattern: translatePattern(pattern) }),
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

function checkColumns(
  check: LibraryCheck,
  entry: OdcsLibraryCheck,
  fields: readonly OdcsProperty[],
  problem: Problem,
): void {
  const { validValues, missingValues, pattern } = entry.arguments ?? {};
  const wrong = pattern === undefined ? undefined : patternProblem(pattern, "ecma");
  if (wrong !== undefined) problem(`pattern ${pattern}: ${wrong}`);
  for (const column of check.columns) {
    const field = fields.find(({ name }) => name === column);
    if (field === undefined) problem(`check "${check.name}" measures "${column}", which is not a field`);
    else if (check.metric !== "nullValues" && (field.logicalType === "array" || field.logicalType === "object"))
      problem(`${check.metric} cannot measure "${column}", which is nested: write the check in SQL`);
    else {
      for (const value of [...(validValues ?? []), ...(missingValues ?? [])]) {
        // A text such as N/A may stand for a missing value of any type; it is only never equal to one.
        const message = check.metric === "invalidValues" ? valueProblem(value, field.logicalType) : undefined;
        if (message !== undefined) problem(`check "${check.name}" of "${column}": ${message}`);
      }
      if (pattern !== undefined && field.logicalType !== "string")
        problem(`check "${check.name}" has a pattern, and "${column}" is no text: write the check in SQL`);
    }
  }
}

/** Below a column nothing is measured: what stands there is a rule of admission, or would be a promise that nobody keeps. */
function refuseNested(property: OdcsProperty, path: Path, place: Place): void {
  const ofValue = (child: OdcsProperty | OdcsItem, at: Path): void => {
    for (const [index, entry] of (child.quality ?? []).entries()) {
      if ("query" in entry)
        place.report(
          [...at, "quality", index],
          `a check in SQL stands under the table or one of its columns: move it up`,
        );
      else if ("metric" in entry && !heldAtTheDoor(entry))
        place.report(
          [...at, "quality", index],
          "below a column only invalidValues with mustBe: 0 is done, at the door: write this check in SQL under the table",
        );
    }
    inside(child, at);
  };
  const inside = (child: OdcsProperty | OdcsItem, at: Path): void => {
    for (const [index, each] of (child.properties ?? []).entries()) ofValue(each, [...at, "properties", index]);
    if ("items" in child && child.items !== undefined) ofValue(child.items, [...at, "items"]);
  };
  inside(property, path);
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
    if (value !== undefined) return { op, value: Number(value) };
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
