/** What a contract says of values: the same at the door (admission) and at the gate (quality checks), or refused by the build. */
import { describe, expect, test } from "vitest";
import type { Contract, LibraryCheck } from "../../../../contracts/contract.ts";
import { exampleEvent } from "../../../../contracts/documents/example-event.ts";
import { valueText } from "../../../../contracts/value-text.ts";
import { createAdmitter } from "../../../../gateway/admit/admitter.ts";
import { measureRows } from "../../../../lakehouse/builds/gates/gate.ts";
import { fieldsFromAvro } from "../../../../lakehouse/engine/columns/from-avro.ts";
import type { Value } from "../../../../lakehouse/engine/columns/value.ts";
import type { AvroRecord, AvroType } from "../../../../schemas/avro-schema.ts";
import { buildCodec } from "../../../../schemas/codecs.ts";
import { createEventBuffer } from "../../../../schemas/event-buffer.ts";
import { compileContract } from "../../../../tools/build/contracts/compile.ts";
import { renderProblem } from "../../../../tools/build/problem.ts";
import { NOW } from "../../gateway/harness.ts";
import { batchOf } from "../../lakehouse/engine/columns/column-of.ts";

const MICROS: AvroType = { type: "long", logicalType: "timestamp-micros" };
const TYPES: Readonly<Record<string, AvroType>> = {
  text: "string",
  whole: "int",
  long: "long",
  real: "double",
  money: { type: "bytes", logicalType: "decimal", precision: 12, scale: 2 },
  flag: "boolean",
  day: { type: "int", logicalType: "date" },
  moment: MICROS,
  words: { type: "array", items: "string" },
};
const KINDS: Readonly<Record<string, string>> = {
  ...{ text: "string", whole: "integer", long: "integer", real: "number", money: "number", flag: "boolean" },
  ...{ day: "date", moment: "timestamp", words: "array" },
};

/** A contract with `at`, `id` and one optional field, of which `more` says the rest; further lines stand at the end. */
function compile(field: string, more: string, end = "") {
  const schema: AvroRecord = {
    type: "record",
    name: "Thing",
    fields: [
      { name: "id", type: "string" },
      { name: "at", type: MICROS },
      { name: field, type: ["null", TYPES[field] ?? "string"], default: null },
    ],
  };
  const text = `apiVersion: v3.1.0
kind: DataContract
id: urn:test
version: 1.0.0
status: active
schema:
  - name: things
    properties:
      - { name: id, logicalType: string, required: true, primaryKey: true }
      - { name: at, logicalType: timestamp, required: true }
      - { name: ${field}, logicalType: ${KINDS[field]}, ${more} }
customProperties:
  - { property: eventTime, value: at }
  - { property: partition, value: { column: event_date, source: event } }
${end}`;
  const release = { id: 100_001, topic: "things", version: 1, schema };
  return { release, compiled: compileContract({ file: "contracts/things.yaml", text }, [release]) };
}

function problems(...of: Parameters<typeof compile>): string {
  const { compiled } = compile(...of);
  return compiled.ok ? "" : compiled.problems.map(renderProblem).join("\n");
}

function contract(...of: Parameters<typeof compile>): { readonly contract: Contract; readonly schema: AvroRecord } {
  const { compiled, release } = compile(...of);
  if (!compiled.ok) throw new Error(compiled.problems.map(renderProblem).join("\n"));
  return { contract: compiled.contract, schema: release.schema };
}

/** The error type that an event with this value gets; null if it is accepted. */
function atTheDoor(of: ReturnType<typeof contract>, field: string, value: unknown): string | null {
  const codec = buildCodec({ id: 100_001, topic: "things", version: 1, schema: of.schema });
  const output = createEventBuffer(16);
  const event = { id: "a", at: new Date(NOW).toISOString(), [field]: value };
  const context = { received: NOW * 1_000, suspectSurrogates: false, output, masker: null };
  const admission = createAdmitter(of.contract, codec).admit(event, 0, context);
  return admission.accepted ? null : (admission.errors[0]?.error_type ?? "none");
}

/** How many of these stored values the contract's check counts. */
function atTheGate(
  { contract: { checks }, schema }: ReturnType<typeof contract>,
  field: string,
  values: Value[],
): number {
  const check = checks.find((each): each is LibraryCheck => each.metric !== "sql");
  if (check === undefined) throw new Error("there is no check");
  const fields = fieldsFromAvro(schema).filter(({ name }) => name === field);
  return measureRows(
    check,
    batchOf(
      fields,
      values.map((value) => ({ [field]: value })),
    ),
  ).measured;
}

const valid = (list: string, rest = "mustBe: 0") =>
  `quality: [{ metric: invalidValues, arguments: { validValues: [${list}] }, ${rest} }]`;

describe("accepted values are values, at the door and at the gate", () => {
  test.each<[field: string, list: string, taken: readonly [unknown, Value][], refused: readonly [unknown, Value][]]>([
    [
      "money",
      "2.50, '7', 1e2",
      [
        [2.5, "2.50"],
        ["2.500", "2.50"],
        [7, "7.00"],
        [100, "100.00"],
      ],
      [
        [2.51, "2.51"],
        [0, "0.00"],
      ],
    ],
    [
      "whole",
      "1, '02', 3.0",
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
      [
        [4, 4],
        [-1, -1],
      ],
    ],
    ["long", "'9007199254740993'", [[9007199254740993n, 9007199254740993n]], [[1, 1n]]],
    [
      "real",
      "0.1, 1e21, -0",
      [
        [0.1, 0.1],
        [1e21, 1e21],
        [0, -0],
      ],
      [[0.2, 0.2]],
    ],
    ["flag", "true", [[true, true]], [[false, false]]],
    ["day", "2026-01-31", [["2026-01-31", 20_484]], [["2026-02-01", 20_485]]],
    [
      "moment",
      "'2026-01-31T12:00:00Z'",
      [["2026-01-31T13:00:00.000+01:00", 1_769_860_800_000_000n]],
      [["2026-01-31T12:00:01Z", 1_769_860_801_000_000n]],
    ],
    [
      "text",
      "a, '1', 'true', '2.50'",
      [
        ["a", "a"],
        ["1", "1"],
        ["true", "true"],
        ["2.50", "2.50"],
      ],
      [
        ["2.5", "2.5"],
        ["A", "A"],
        ["", ""],
      ],
    ],
    ["text", "null, a", [["a", "a"]], [["null", "null"]]],
  ])("%s of %s", (field, list, taken, refused) => {
    const of = contract(field, valid(list));
    for (const [sent] of taken) {
      if (typeof sent !== "bigint") expect([sent, atTheDoor(of, field, sent)]).toEqual([sent, null]);
    }
    for (const [sent] of refused) expect([sent, atTheDoor(of, field, sent)]).toEqual([sent, "INVALID_ENUM"]);
    expect(atTheGate(of, field, [null, ...taken.map(([, stored]) => stored)])).toBe(0);
    expect(
      atTheGate(
        of,
        field,
        refused.map(([, stored]) => stored),
      ),
    ).toBe(refused.length);
    expect(atTheDoor(of, field, null)).toBe(null);
  });

  test.each([
    ["text", "a, 1.50", /1\.5 is no text: write it in quotes/],
    ["whole", "1, two", /"two" is no integer/],
    ["real", "1, true", /true is no number/],
    ["flag", "yes", /"yes" is no boolean/],
    ["day", "2026-02-30", /"2026-02-30" is no date/],
    ["long", "9007199254740993", /has lost digits in YAML: write it in quotes/],
  ])("what cannot be a value of %s is refused: %s", (field, list, message) => {
    expect(problems(field, valid(list))).toMatch(message);
  });

  test("an example event has one", () => {
    for (const [field, list] of [
      ["money", "2.5"],
      ["flag", "true"],
      ["day", "2026-01-31"],
    ] as const) {
      const { contract: own, schema } = contract(field, `${valid(list)}, examples: [${list}]`);
      const [first] = own.fields.filter(({ name }) => name === field).map(({ examples: _, ...rule }) => rule);
      const fields = [...own.fields.filter(({ name }) => name !== field), ...(first === undefined ? [] : [first])];
      const required = schema.fields.map((each) =>
        each.name === field ? { name: field, type: TYPES[field] ?? "string" } : each,
      );
      const release = { id: 1, topic: "things", version: 1, schema: { ...schema, fields: required } };
      const event = exampleEvent({ ...own, fields }, release, { now: NOW, id: "x" });
      expect(String(event[field])).toBe(list);
    }
  });
});

describe("a tolerance is no refusal", () => {
  test.each([
    ["mustBe: 0", true],
    ["mustBeLessThan: 1", true],
    ["mustBeLessOrEqualTo: 0", true],
    ["mustBe: 0, unit: percent", true],
    ["mustBeLessOrEqualTo: 5, unit: percent", false],
    ["mustBeLessThan: 1, unit: percent", false],
    ["mustBeLessThan: 5", false],
    ["mustBeBetween: [0, 3]", false],
    ["mustBe: 0, customProperties: [{ property: onFail, value: warn }]", false],
    ["mustBe: 0, customProperties: [{ property: onFail, value: quarantine }]", false],
    ["mustBe: 0, customProperties: [{ property: onFail, value: block }]", true],
  ])("%s", (rest, held) => {
    const of = contract("text", valid("a", rest));
    expect(atTheDoor(of, "text", "b")).toBe(held ? "INVALID_ENUM" : null);
    expect(of.contract.checks).toHaveLength(1);
  });

  test("below a column there is no gate, so that it is refused there", () => {
    for (const check of [
      "metric: invalidValues, arguments: { validValues: [a] }, mustBeLessThan: 5",
      "metric: nullValues, mustBe: 0",
    ]) {
      const found = problems("words", `items: { logicalType: string, quality: [{ ${check} }] }`);
      expect(found).toMatch(/things\.yaml:11: below a column only invalidValues with mustBe: 0 is done, at the door/);
    }
    const of = contract("words", `items: { logicalType: string, ${valid("a")} }`);
    expect([atTheDoor(of, "words", ["a"]), atTheDoor(of, "words", ["a", "b"])]).toEqual([null, "INVALID_ENUM"]);
  });
});

describe("options", () => {
  test.each([
    ["whole", "minimum: 2, maximum: 1", "minimum 2 is above maximum 1"],
    ["text", "minLength: 2, maxLength: 1", "minLength 2 is above maxLength 1"],
    ["words", "minItems: 2, maxItems: 1", "minItems 2 is above maxItems 1"],
    ["whole", "format: i8, minimum: 200", "minimum 200 is above maximum 127"],
    [
      "text",
      "format: password",
      "format password is not enforced: uuid, email, ipv4, hostname, uri are; write a pattern",
    ],
    ["text", "format: constructor", "format constructor is not enforced"],
    ["text", "format: uuid, pattern: ^a", "format uuid is a pattern of its own: leave one of the two out"],
    ["long", "format: u64", "format u64 is wider than Avro's long"],
    ["real", "format: f32", "format f32 is not kept"],
    ["day", "format: dd.MM.yyyy", "dates are sent as 2026-01-31"],
    ["moment", "format: 'yyyy-MM-dd HH:mm:ss'", "times are sent by RFC 3339"],
    ["whole", "format: i64", 'format i64 needs "long" in the Avro schema, which has "int"'],
    ["money", "format: f64", "format f64 is a double, and the Avro schema has a decimal"],
  ])("of %s: %s", (field, options, message) => {
    expect(problems(field, `logicalTypeOptions: { ${options} }`)).toMatch(/^contracts\/things\.yaml:11: /);
    expect(problems(field, `logicalTypeOptions: { ${options} }`)).toContain(message);
  });

  test.each<[field: string, format: string, taken: readonly unknown[], refused: readonly unknown[]]>([
    ["text", "uuid", ["0198C1f2-7e5a-7c3d-9b1e-3f2a1b4c5d6e"], ["0198c1f27e5a7c3d9b1e3f2a1b4c5d6e", "x", ""]],
    ["text", "email", ["a.b+c@example.co.uk"], ["a@b", "@example.org", "a b@example.org", "a@example..org"]],
    ["text", "ipv4", ["0.0.0.0", "255.249.99.1"], ["256.1.1.1", "1.1.1", "01.1.1.1", "1.1.1.1 "]],
    ["text", "hostname", ["localhost", "a-b.example.org"], ["-a.org", "a_b", `${"a".repeat(64)}.org`, "a..b"]],
    ["text", "uri", ["urn:x:y", "https://example.org/a?b#c"], ["example.org", "http:", "http://a b"]],
    ["whole", "i8", [-128, 127], [-129, 128]],
    ["whole", "u16", [0, 65_535], [-1, 65_536]],
    ["long", "u32", [0, 4_294_967_295], [-1, 4_294_967_296]],
    ["long", "i64", [-1, 2 ** 53], []],
    ["real", "f64", [1e300], []],
    ["day", "yyyy-MM-dd", ["2026-01-31"], ["31.01.2026"]],
  ])("format of %s: %s is held", (field, format, taken, refused) => {
    const of = contract(field, `logicalTypeOptions: { format: ${format} }`);
    for (const value of taken) expect([value, atTheDoor(of, field, value)]).toEqual([value, null]);
    for (const value of refused) expect([value, atTheDoor(of, field, value) === null]).toEqual([value, false]);
  });

  test("mode upsert is refused until it is built", () => {
    expect(problems("text", "required: false", "  - { property: mode, value: upsert }\n")).toMatch(
      /^contracts\/things\.yaml:\d+: .*upsert is not built yet/,
    );
  });
});

describe("the library checks of the standard's own text", () => {
  test.each([
    [
      "text",
      '{ type: library, metric: nullValues, mustBe: 0, description: "no null values", dimension: completeness }',
    ],
    ["text", "{ metric: nullValues, mustBeLessThan: 1, unit: percent }"],
    [
      "text",
      "{ metric: missingValues, arguments: { missingValues: [null, '', 'N/A', 'n/a'] }, mustBeLessThan: 100, unit: rows }",
    ],
    ["whole", "{ metric: missingValues, arguments: { missingValues: [null, -1, 'N/A'] }, mustBe: 0 }"],
    ["text", "{ metric: invalidValues, arguments: { validValues: ['pounds', 'kg'] }, mustBeLessThan: 5, unit: rows }"],
    [
      "text",
      "{ metric: invalidValues, mustBe: 0, arguments: { pattern: '^[A-Z]{2}[0-9]{2}[A-Z0-9]{4}[0-9]{7}([A-Z0-9]?){0,16}$' } }",
    ],
    ["whole", "{ metric: invalidValues, mustBe: 0, arguments: { validValues: [1, 2, 3] } }"],
    ["text", "{ metric: duplicateValues, mustBeLessThan: 10, unit: rows, dimension: uq }"],
    ["text", "{ metric: duplicateValues, mustBeLessThan: 1, unit: percent }"],
    ["text", "{ metric: duplicateValues, mustBe: 0, arguments: { properties: [id, at] } }"],
    ["text", "{ type: text, description: 'is plausible' }"],
    ["text", "{ type: custom, engine: soda, implementation: 'checks: []' }"],
    [
      "text",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the standard's placeholders, not a template.
      "{ type: sql, query: 'SELECT COUNT(*) FROM ${object} WHERE ${property} IS NOT NULL', mustBeLessThan: 3600 }",
    ],
    ["text", "{ type: sql, query: 'SELECT count(*) > 0 FROM {object}', mustBe: true }"],
    ...["ac", "cp", "cf", "cs", "cv", "tm"].map((short) => [
      "text",
      `{ metric: nullValues, mustBe: 0, dimension: ${short} }`,
    ]),
  ])("%s: %s", (field, check) => {
    expect(problems(field ?? "", `quality: [${check}]`)).toBe("");
  });

  test("a pattern is judged at the door and at the gate", () => {
    const of = contract(
      "text",
      "quality: [{ metric: invalidValues, arguments: { pattern: '^[A-Z]{2}$' }, mustBe: 0 }]",
    );
    expect([atTheDoor(of, "text", "AB"), atTheDoor(of, "text", "ab")]).toEqual([null, "INVALID_FORMAT"]);
    expect(atTheGate(of, "text", ["AB", "ab", null, "ABC"])).toBe(2);
    const both = contract(
      "text",
      "quality: [{ metric: invalidValues, arguments: { pattern: '^[A-Z]', validValues: [A, B] }, mustBe: 0 }]",
    );
    expect(atTheGate(both, "text", ["A", "a", "C"])).toBe(2);
    expect(["A", "a", "C"].map((value) => atTheDoor(both, "text", value) === null)).toEqual([true, false, false]);
  });

  test("missing values are compared as values too, and null is always missing", () => {
    const of = contract(
      "whole",
      "quality: [{ metric: missingValues, arguments: { missingValues: [null, -1.0] }, mustBe: 0 }]",
    );
    expect(atTheGate(of, "whole", [1, -1, null])).toBe(2);
  });

  test.each([
    [
      "text",
      "{ metric: nullValues, arguments: { validValues: [a] }, mustBe: 0 }",
      "nullValues does not read arguments.validValues; it reads properties",
    ],
    [
      "text",
      "{ metric: missingValues, arguments: { validValues: [a] }, mustBe: 0 }",
      "missingValues does not read arguments.validValues",
    ],
    [
      "text",
      "{ metric: invalidValues, arguments: { validValues: [null] }, mustBe: 0 }",
      "invalidValues needs arguments.validValues",
    ],
    ["text", "{ metric: invalidValues, arguments: { pattern: '(' }, mustBe: 0 }", "pattern (: "],
    [
      "whole",
      "{ metric: invalidValues, arguments: { pattern: '^1' }, mustBe: 0 }",
      'has a pattern, and "whole" is no text',
    ],
    ["text", "{ metric: nullValues, mustBe: -1 }", "mustBe: -1 is never met by a whole number from 0"],
    ["text", "{ metric: nullValues, mustBe: 0.5 }", "mustBe: 0.5 is never met by a whole number from 0"],
    [
      "text",
      "{ metric: nullValues, mustBeGreaterThan: 100, unit: percent }",
      "is never met by a percentage from 0 to 100",
    ],
    ["text", "{ metric: nullValues, mustBeLessThan: 0, unit: percent }", "is never met by a percentage from 0 to 100"],
    ["text", "{ metric: nullValues, mustBeBetween: [5, 1] }", "the lower one first"],
    ["text", "{ metric: nullValues, mustBe: true }", "expected number"],
  ])("%s: %s is refused", (field, check, message) => {
    expect(problems(field, `quality: [${check}]`)).toMatch(/^contracts\/things\.yaml:11: /);
    expect(problems(field, `quality: [${check}]`)).toContain(message);
  });
});

test("the text of a number is one for all its spellings", () => {
  const same = [
    ["2.5", "2.50", "+2.5", "25e-1", "0.25E1", "002.5"],
    ["0", "-0", "0.00", "0e9", ".0"],
    ["100", "1e2", "100.0"],
  ];
  for (const [first = "", ...others] of same)
    for (const other of others) expect([other, valueText("number", other)]).toEqual([other, first]);
  for (const none of ["", "abc", "1a", "--1", "1e", "0x10", "Infinity", "NaN", ".", "9".repeat(200)])
    expect([none, valueText("number", none)]).toEqual([none, undefined]);
  expect(valueText("number", "1e-300")).toBe(valueText("number", "10e-301"));
  expect(valueText("number", "-0.001")).toBe("-0.001");
});
