/**
 * Our reading of the Open Data Contract Standard against its official JSON Schema: both judge every contract and every
 * mutation of one alike, except where we are stricter or looser on purpose, which is listed with its reason.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Ajv2019 } from "ajv/dist/2019.js";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { contractNotes } from "../../../../tools/build/contracts/notes.ts";
import { odcs } from "../../../../tools/build/contracts/odcs.ts";

const root = resolve(import.meta.dirname, "../../../..");
const SPECIFICATION = join(root, "../shared/specs/odcs-v3.1.0.schema.json");
const present = existsSync(SPECIFICATION);
if (!present) console.warn("odcs-standard.test.ts is skipped: ../shared/specs/odcs-v3.1.0.schema.json is absent");

type Json = Record<string, unknown>;
type Path = readonly (string | number)[];
type Change = readonly [what: string, path: Path, value: unknown];

/** Of these paths: `schema[0]`, a text, an integer and a list of objects of orders.yaml. */
const TABLE: Path = ["schema", 0];
const orders: Json = parse(readFileSync(join(root, "contracts/orders.yaml"), "utf8"));
const fields = read(orders, [...TABLE, "properties"]);
const fieldAt = (name: string): Path => {
  const index = Array.isArray(fields) ? fields.findIndex((field: Json) => field["name"] === name) : -1;
  if (index < 0) throw new Error(`orders has no field ${name}`);
  return [...TABLE, "properties", index];
};
const TEXT = fieldAt("order_id");
const NUMBER = fieldAt("amount");
const INTEGER = fieldAt("schema_version");
const TIME = fieldAt("event_timestamp");
const LIST = fieldAt("items");
const CHECK: Path = [...TABLE, "quality", 0];
const REMOVED = Symbol("removed");
const COUNT = { metric: "rowCount", mustBeGreaterThan: 0 };
const TWICE = ["hmac", "redact"].map((value) => ({ property: "masking", value }));
const definition = [{ url: "https://example.org", type: "glossary" }];

/** Both accept it. */
const ACCEPTED: readonly Change[] = [
  ["tags", ["tags"], ["finance"]],
  ["a tenant", ["tenant"], "shop"],
  ["a data product", ["dataProduct"], "sales"],
  ["definitions", ["authoritativeDefinitions"], definition],
  ["a price", ["price"], { priceAmount: 9.95, priceCurrency: "EUR", priceUnit: "megabyte" }],
  ["support", ["support"], [{ channel: "#orders", url: "https://example.org", tool: "slack", scope: "issues" }]],
  ["a team", ["team"], { name: "shop", members: [{ username: "ada", role: "owner", dateIn: "2026-01-01" }] }],
  ["a team as a list", ["team"], [{ username: "ada" }]],
  ["roles", ["roles"], [{ role: "reader", access: "read", firstLevelApprovers: "ada" }]],
  ["when it was made", ["contractCreatedTs"], "2026-01-01T00:00:00Z"],
  ["a default element", ["slaDefaultElement"], "orders.event_timestamp"],
  ["a server", ["servers"], [{ server: "prod", type: "kafka", host: "example.org" }]],
  ["description texts", ["description"], { usage: "u", limitations: "l", authoritativeDefinitions: definition }],
  ["a description's own part", ["description", "history"], "long"],
  ["a service level with all parts", ["slaProperties", 0], { property: "latency", value: 4, unit: "d", driver: "x" }],
  ["a table's texts", [...TABLE, "dataGranularityDescription"], "one row per event"],
  ["a table's relationship", [...TABLE, "relationships"], [{ from: "orders.customer_id", to: "users.user_id" }]],
  ["a field's relationship", [...TEXT, "relationships"], [{ to: "schema/users/properties/user_id" }]],
  ["a business name", [...TEXT, "businessName"], "order"],
  ["a transformation", [...TEXT, "transformLogic"], "upper(x)"],
  ["sources of a transformation", [...TEXT, "transformSourceObjects"], ["raw.orders"]],
  ["a description of it", [...TEXT, "transformDescription"], "in capitals"],
  ["a critical element", [...TEXT, "criticalDataElement"], true],
  ["a class of data, in any case", [...TEXT, "classification"], "Confidential"],
  ["an encrypted name", [...TEXT, "encryptedName"], "order_id_encrypted"],
  ["a format of a text", [...TEXT, "logicalTypeOptions"], { format: "uuid" }],
  ["a format of an integer", [...INTEGER, "logicalTypeOptions"], { format: "i32" }],
  ["a check that is a text", CHECK, { type: "text", description: "amounts are plausible" }],
  ["a check in SQL", CHECK, { type: "sql", query: "SELECT 1", mustBe: 1 }],
  ["a check of another engine", CHECK, { type: "custom", engine: "soda", implementation: "checks: []" }],
  ["a check's dimension", [...CHECK, "dimension"], "completeness"],
  ["a check's schedule", [...CHECK, "schedule"], "0 20 * * *"],
  ["a check that is true or false", CHECK, { type: "sql", query: "SELECT true", mustBe: true }],
  ["values of any type", CHECK, { metric: "missingValues", mustBe: 0, arguments: { missingValues: [null, 1, "a"] } }],
  ["bounds", CHECK, { metric: "rowCount", mustBeBetween: [1, 5] }],
];

/** Both refuse it. */
const REFUSED: readonly Change[] = [
  ...["apiVersion", "kind", "id", "version", "status"].map((key): Change => [`no ${key}`, [key], REMOVED]),
  ["another kind", ["kind"], "Contract"],
  ["an unknown apiVersion", ["apiVersion"], "v9"],
  ["a number as version", ["version"], 1],
  ["an unknown section", ["customPropertys"], []],
  ["a domain that is no text", ["domain"], 4],
  ["a purpose that is no text", ["description", "purpose"], 4],
  ["schema as an object", ["schema"], {}],
  ["a table without a name", [...TABLE, "name"], REMOVED],
  ["a table that is no object", [...TABLE, "logicalType"], "array"],
  ["an unknown key of a table", [...TABLE, "colums"], []],
  ["a field without a name", [...TEXT, "name"], REMOVED],
  ["an unknown key of a field", [...TEXT, "requird"], true],
  ["required as a text", [...TEXT, "required"], "yes"],
  ["an unknown logical type", [...TEXT, "logicalType"], "varchar"],
  ["a minimum of a text", [...TEXT, "logicalTypeOptions"], { minimum: 1 }],
  ["a pattern of a number", [...NUMBER, "logicalTypeOptions"], { pattern: "^a" }],
  ["a minimum that is no number", [...NUMBER, "logicalTypeOptions"], { minimum: "0" }],
  ["an unknown width", [...INTEGER, "logicalTypeOptions"], { format: "i31" }],
  ["a width of another type", [...NUMBER, "logicalTypeOptions"], { format: "i32" }],
  ["a numeric minimum of a time", [...TIME, "logicalTypeOptions"], { minimum: 1 }],
  ["a negative length", [...TEXT, "logicalTypeOptions"], { minLength: -1 }],
  ["half a length", [...TEXT, "logicalTypeOptions"], { maxLength: 1.5 }],
  ["a length of a list", [...LIST, "logicalTypeOptions"], { maxLength: 1 }],
  ["items of a text", [...TEXT, "items"], { logicalType: "string" }],
  ["properties of a text", [...TEXT, "properties"], [{ name: "a", logicalType: "string" }]],
  ["an unknown key of items", [...LIST, "items", "requird"], true],
  ["a key position that is no integer", [...TEXT, "primaryKeyPosition"], 1.5],
  ["tags that are no list", [...TEXT, "tags"], "finance"],
  ["a custom property without a value", ["customProperties", 0], { property: "mode" }],
  ["a custom property without a name", ["customProperties", 0], { value: 1 }],
  ["an unknown key of a custom property", ["customProperties", 0], { property: "mode", value: "append", extra: 1 }],
  ["an id with blanks", ["customProperties", 0], { property: "mode", value: "append", id: "a b" }],
  ["a check without a bound", CHECK, { metric: "rowCount" }],
  ["a check with two bounds", CHECK, { ...COUNT, mustBeLessThan: 9 }],
  ["an unknown metric", CHECK, { ...COUNT, metric: "rows" }],
  ["an unknown type of check", CHECK, { ...COUNT, type: "regex" }],
  ["an unknown key of a check", CHECK, { ...COUNT, mustBeAbout: 1 }],
  ["an unknown dimension", CHECK, { ...COUNT, dimension: "beauty" }],
  ["a bound that is no number", CHECK, { metric: "rowCount", mustBeGreaterThan: "0" }],
  ["three numbers between", CHECK, { metric: "rowCount", mustBeBetween: [1, 2, 3] }],
  ["the same number between", CHECK, { metric: "rowCount", mustBeBetween: [1, 1] }],
  ["SQL without a query", CHECK, { type: "sql", mustBe: 1 }],
  ["SQL without a bound", CHECK, { type: "sql", query: "SELECT 1" }],
  ["an engine without an implementation", CHECK, { type: "custom", engine: "soda" }],
  ["a query in a text", CHECK, { type: "text", query: "SELECT 1" }],
  ["a service level without a value", ["slaProperties", 0], { property: "latency" }],
  ["an unknown key of a service level", ["slaProperties", 0], { property: "latency", value: 1, units: "d" }],
  ["a list as a service level's value", ["slaProperties", 0], { property: "latency", value: [1] }],
  ["support without a channel", ["support"], [{ url: "https://example.org" }]],
  ["a role without a name", ["roles"], [{ access: "read" }]],
  ["a member without a name", ["team"], { members: [{ role: "owner" }] }],
  ["a price in words", ["price"], { priceAmount: "ten" }],
  ["a definition without a type", ["authoritativeDefinitions"], [{ url: "https://example.org" }]],
  ["a relationship to nowhere", [...TEXT, "relationships"], [{ type: "foreignKey" }]],
  ["a field's relationship with a from", [...TEXT, "relationships"], [{ from: "a.b", to: "a.b" }]],
  ["a relationship of mixed forms", [...TABLE, "relationships"], [{ from: "a.b", to: ["a.b"] }]],
  ["a reference that is none", [...TEXT, "relationships"], [{ to: "users" }]],
  ["a server without a type", ["servers"], [{ server: "prod" }]],
];

/** The standard allows it and we refuse it: the reason is the test's name. */
const STRICTER: readonly Change[] = [
  ["documents are of one version of the standard, 3.1", ["apiVersion"], "v3.0.2"],
  ["a status is one of the lifecycle's words", ["status"], "fine"],
  ["contract versions are compared, so they are MAJOR.MINOR.PATCH", ["version"], "one"],
  ["a contract describes a topic", ["schema"], []],
  ["a topic's name is also a queue's and a folder's", [...TABLE, "name"], "Orders"],
  ["a topic has fields", [...TABLE, "properties"], []],
  ["a field's name is also a column's", [...TEXT, "name"], "orderId"],
  ["a field without a logical type cannot be judged", [...INTEGER, "logicalType"], REMOVED],
  [
    "bounds that leave no value would refuse every event",
    [...TEXT, "logicalTypeOptions"],
    { minLength: 2, maxLength: 1 },
  ],
  ["a format that is not enforced would be a promise", [...TEXT, "logicalTypeOptions"], { format: "password" }],
  ["bounds of a range come in order", CHECK, { metric: "rowCount", mustBeBetween: [5, 1] }],
  ["classes of data are a closed list: personal data is masked by its class", [...TEXT, "classification"], "secret"],
  ["a class of data has a name", [...TEXT, "classification"], "4"],
  ["of two custom properties with one name only one could be read", [...TEXT, "customProperties"], TWICE],
  ["there is no type for a time of day", [...INTEGER, "logicalType"], "time"],
  ["exclusive bounds would not be enforced", [...NUMBER, "logicalTypeOptions"], { exclusiveMinimum: 0 }],
  ["multiples would not be enforced", [...NUMBER, "logicalTypeOptions"], { multipleOf: 5 }],
  ["a time's bounds would not be enforced: eventTimeWindow is", [...TIME, "logicalTypeOptions"], { minimum: "2026" }],
  ["unique items would not be enforced", [...LIST, "logicalTypeOptions"], { uniqueItems: true }],
  ["a check's bound is a number", CHECK, { metric: "rowCount", mustBe: "many" }],
  ["the bound of a check in SQL is a number or a truth", CHECK, { type: "sql", query: "SELECT 1", mustBe: "one" }],
  ["checks measure rows or percent", CHECK, { ...COUNT, unit: "dozens" }],
  ["an argument that no metric reads is a typo", CHECK, { ...COUNT, arguments: { valid: ["a"] } }],
  ["a check without type and metric checks nothing", CHECK, { description: "good" }],
  ["the deprecated name of metric is not read", CHECK, { ...COUNT, rule: "rowCount" }],
];

/** The standard refuses it and we accept it: the reason is the test's name. */
const LOOSER: readonly Change[] = [
  [
    "the short forms of dimensions stand in the standard's text, not in its schema",
    CHECK,
    { ...COUNT, dimension: "cp" },
  ],
  ["servers are not read, so their thirty kinds are not told apart", ["servers"], [{ server: "a", type: "abacus" }]],
];

describe.skipIf(!present)("the contract standard", () => {
  const official = present
    ? new Ajv2019({ strict: false, validateFormats: false, allErrors: false }).compile(
        JSON.parse(readFileSync(SPECIFICATION, "utf8")),
      )
    : () => true;
  const judge = (document: unknown) => ({ official: official(document), ours: odcs.safeParse(document).success });

  const files = readdirSync(join(root, "contracts")).filter((name) => name.endsWith(".yaml"));
  test.each(files)("both accept %s", (name) => {
    const document: unknown = parse(readFileSync(join(root, "contracts", name), "utf8"));
    expect(judge(document)).toEqual({ official: true, ours: true });
  });

  test.each(files)("we accept no value of another type in %s that the standard refuses", (name) => {
    const document: unknown = parse(readFileSync(join(root, "contracts", name), "utf8"));
    const differences = pathsOf(document).flatMap((path) =>
      [null, [], { "no such key": 1 }, true].flatMap((value) => {
        const { official: theirs, ours } = judge(changed(document, path, value));
        // Stricter is allowed, by the list below; looser is not.
        return ours && !theirs ? [`${path.join(".")} = ${JSON.stringify(value)}`] : [];
      }),
    );
    expect(differences).toEqual([]);
  });

  test.each(ACCEPTED)("both accept %s", (_, path, value) => {
    expect(judge(changed(orders, path, value))).toEqual({ official: true, ours: true });
  });
  test.each(REFUSED)("both refuse %s", (_, path, value) => {
    expect(judge(changed(orders, path, value))).toEqual({ official: false, ours: false });
  });
  test.each(STRICTER)("we are stricter: %s", (_, path, value) => {
    expect(judge(changed(orders, path, value))).toEqual({ official: true, ours: false });
  });
  test.each(LOOSER)("we are looser: %s", (_, path, value) => {
    expect(judge(changed(orders, path, value))).toEqual({ official: false, ours: true });
  });
});

describe("what is accepted but not executed", () => {
  test("is said with its line", () => {
    const soda = { name: "plausible", type: "custom", engine: "soda", implementation: "checks: []" };
    const availability = { property: "availability", value: 99.9, unit: "percent" };
    const document = changed(changed(orders, CHECK, soda), ["slaProperties", 0], availability);
    const described = changed(document, [...TEXT, "customProperties"], [{ property: "owner", value: "shop" }]);
    const encrypted = changed(described, [...NUMBER, "encryptedName"], "amount_encrypted");
    const text = JSON.stringify(changed(encrypted, [...TEXT, "unique"], true), null, 1);
    const notes = contractNotes("contracts/orders.yaml", text);
    expect(notes.map(({ message }) => message)).toEqual([
      expect.stringContaining('unique of "order_id" is not enforced'),
      'the custom property owner of "order_id" is not read: masking is',
      expect.stringContaining('encryptedName of "amount" is not read'),
      'the quality check "plausible" of type custom is not executed',
      "the service level availability is not read: latency, freshness, retention, completeness are",
    ]);
    const query = { name: "few", type: "sql", query: "SELECT count(*) FROM {object}", mustBe: 0 };
    const often = { ...query, customProperties: [{ property: "when", value: "increment" }] };
    expect(
      contractNotes("contracts/orders.yaml", JSON.stringify(changed(orders, CHECK, often))).map(
        ({ message }) => message,
      ),
    ).toEqual(['the query of the quality check "few" reads its date at each build, since it says when: increment']);
    expect(contractNotes("contracts/orders.yaml", JSON.stringify(changed(orders, CHECK, query)))).toEqual([]);
    const retention = { property: "retention", value: 7, unit: "d" };
    const deletes = JSON.stringify(changed(orders, ["slaProperties", 0], retention), null, 1);
    expect(contractNotes("contracts/orders.yaml", deletes)).toEqual([
      {
        file: "contracts/orders.yaml",
        line: deletes.slice(0, deletes.indexOf('"retention"')).split("\n").length - 1,
        message: expect.stringMatching(/^retention deletes bronze 7 d after its date for good.*replayWindow$/),
      },
    ]);
    expect(notes.every(({ line }) => line !== undefined && line > 1)).toBe(true);
    expect(contractNotes("contracts/orders.yaml", JSON.stringify(orders))).toEqual([]);
  });
});

function read(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (Array.isArray(inner)) return inner[Number(key)];
    return isObject(inner) ? inner[key] : undefined;
  }, value);
}

/** A copy with the value at a path, whose parents are made where they lack; REMOVED takes it away. */
function changed(document: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(document)) {
    return document.map((item: unknown, index) => (index === key ? changed(item, rest, value) : item));
  }
  const copy: Json = isObject(document) ? { ...document } : {};
  if (value === REMOVED && rest.length === 0) delete copy[key];
  else copy[key] = changed(copy[key], rest, value);
  return copy;
}

/** The path of every value inside, itself excepted. */
function pathsOf(value: unknown): Path[] {
  if (!Array.isArray(value) && !isObject(value)) return [];
  const entries: (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((item: unknown, index) => [index, item] as const)
    : Object.entries(value);
  return entries.flatMap(([key, inner]) => [[key], ...pathsOf(inner).map((path) => [key, ...path])]);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
