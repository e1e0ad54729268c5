import { describe, expect, test } from "vitest";
import { hasMaskedFields } from "../../../../contracts/masking.ts";
import { compileContract } from "../../../../tools/build/contracts/compile.ts";
import { renderProblem } from "../../../../tools/build/problem.ts";

/** A contract with these properties beside `id` and `at`, and these checks. */
function compile(properties: readonly string[], quality: readonly string[] = [], dedupeKey = "[id]") {
  const text = `apiVersion: v3.1.0
kind: DataContract
id: urn:test
version: 1.0.0
status: active
schema:
  - name: people
    properties:
      - { name: id, logicalType: string, required: true, primaryKey: true }
      - { name: at, logicalType: timestamp, required: true }
${properties.map((property) => `      - ${property}`).join("\n")}
    quality:
      - { metric: rowCount, mustBeGreaterThan: 0 }
${quality.map((check) => `      - ${check}`).join("\n")}
customProperties:
  - { property: dedupeKey, value: ${dedupeKey} }
  - { property: eventTime, value: at }
  - { property: partition, value: { column: event_date, source: event } }
`;
  const fields = properties.map((property) => /name: (\w+)/.exec(property)?.[1] ?? "");
  const type = (property: string) =>
    property.includes("logicalType: integer")
      ? '"long"'
      : property.includes("logicalType: array")
        ? '{"type":"array","items":"string"}'
        : property.includes("logicalType: object")
          ? '{"type":"record","name":"inner","fields":[{"name":"street","type":["null","string"],"default":null}]}'
          : '"string"';
  const optional = (property: string, index: number) =>
    property.includes("required: true")
      ? `{"name":"${fields[index]}","type":${type(property)}}`
      : `{"name":"${fields[index]}","type":["null",${type(property)}],"default":null}`;
  const schema = JSON.parse(`{"type":"record","name":"people","fields":[
    {"name":"id","type":"string"},{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}}
    ${properties.map((property, index) => `,${optional(property, index)}`).join("")}]}`);
  return compileContract({ file: "contracts/people.yaml", text }, [{ topic: "people", version: 1, id: 1, schema }]);
}

function complaints(...of: Parameters<typeof compile>): string[] {
  const compiled = compile(...of);
  return compiled.ok ? [] : compiled.problems.map(renderProblem);
}

const pii = (masking: string, rest = "") =>
  `{ name: phone, logicalType: string, classification: pii${rest}, customProperties: [{ property: masking, value: ${masking} }] }`;

describe("masking in a contract", () => {
  test.each(["hmac", "redact", "email"])("%s becomes part of the field's rule", (masking) => {
    const compiled = compile([pii(masking)]);
    if (!compiled.ok) throw new Error(compiled.problems.map(renderProblem).join("\n"));
    expect(compiled.contract.fields.find((field) => field.name === "phone")?.masking).toBe(masking);
    expect(hasMaskedFields(compiled.contract)).toBe(true);
  });

  test("nested fields and items can be masked", () => {
    const inner = `{ name: home, logicalType: object, properties: [{ name: street, logicalType: string, classification: pii, customProperties: [{ property: masking, value: redact }] }] }`;
    const items = `{ name: names, logicalType: array, items: { logicalType: string, classification: pii, customProperties: [{ property: masking, value: hmac }] } }`;
    for (const property of [inner, items]) {
      const compiled = compile([property]);
      if (!compiled.ok) throw new Error(compiled.problems.map(renderProblem).join("\n"));
      expect(hasMaskedFields(compiled.contract)).toBe(true);
    }
    const plain = compile(["{ name: city, logicalType: string }"]);
    expect(plain.ok && hasMaskedFields(plain.contract)).toBe(false);
  });

  test.each([
    [
      "no masking",
      "{ name: phone, logicalType: string, classification: pii }",
      /^contracts\/people\.yaml:11: .*in the clear/,
    ],
    [
      "no class",
      "{ name: phone, logicalType: string, customProperties: [{ property: masking, value: hmac }] }",
      /not classification: pii/,
    ],
    ["an unknown masking", pii("rot13"), /"rot13"; it is one of hmac, redact, email/],
    ["a number", pii("hmac").replace("logicalType: string", "logicalType: integer"), /only a string can be masked/],
    [
      "no masking inside",
      "{ name: home, logicalType: object, properties: [{ name: street, logicalType: string, classification: pii }] }",
      /"street" is classified pii but has no masking/,
    ],
  ])("an error: %s", (_what, property, message) => {
    expect(complaints([property]).join("\n")).toMatch(message);
  });

  test.each(["PII", "Pii", "personal", "PERSONAL"])("%s is personal data at every level of a contract", (name) => {
    const field = `logicalType: string, classification: ${name}`;
    const masked = `${field}, customProperties: [{ property: masking, value: hmac }]`;
    const shapes = (text: string) => [
      `{ name: phone, ${text} }`,
      `{ name: names, logicalType: array, items: { ${text} } }`,
      `{ name: home, logicalType: object, properties: [{ name: street, ${text} }] }`,
    ];
    for (const property of shapes(field)) {
      expect(complaints([property]).join("\n")).toMatch(/:11: .*is classified \w+ but has no masking/);
    }
    for (const property of shapes(masked)) expect(complaints([property])).toEqual([]);
  });

  test("a class that is not on the list is refused with the list, wherever it stands", () => {
    const bad = (name: string) => [
      `{ name: phone, logicalType: string, classification: ${name} }`,
      `{ name: names, logicalType: array, items: { logicalType: string, classification: ${name} } }`,
      `{ name: home, logicalType: object, properties: [{ name: street, logicalType: string, classification: ${name} }] }`,
    ];
    for (const name of ["P.I.I", "personnal", "sensitive", "'4'", "4"]) {
      for (const property of bad(name)) {
        expect(complaints([property]).join("\n")).toMatch(
          /:11: .*a classification is one of public, internal, confidential, restricted, or, for personal data, pii or personal/,
        );
      }
    }
    for (const name of ["public", "Internal", "CONFIDENTIAL", "restricted"]) {
      expect(complaints([`{ name: phone, logicalType: string, classification: ${name} }`])).toEqual([]);
    }
  });

  test("what would leave a value in the clear unnoticed is refused", () => {
    const twice =
      "{ name: phone, logicalType: string, classification: pii, customProperties: [{ property: masking, value: redact }, { property: masking, value: email }] }";
    expect(complaints([twice]).join("\n")).toContain("the custom property masking is given twice");
    const misspelt = "{ name: phone, logicalType: string, customProperties: [{ property: Masking, value: redact }] }";
    expect(complaints([misspelt]).join("\n")).toContain("has the custom property Masking: write masking");
  });

  test("a key can only be hashed", () => {
    expect(complaints([pii("hmac", ", required: true")], [], "[id, phone]")).toEqual([]);
    for (const masking of ["redact", "email"]) {
      const found = complaints([pii(masking, ", required: true")], [], "[id, phone]").join("\n");
      expect(found).toContain(`"phone" is part of dedupeKey, so its masking must be hmac, not ${masking}`);
      expect(found).toContain(`"phone" is part of shardKey`);
    }
  });

  test("a check cannot measure what is no longer there", () => {
    const check = (metric: string, more = "") =>
      `{ name: ${metric}, metric: ${metric}, mustBe: 0, arguments: { properties: [phone]${more} } }`;
    expect(complaints([pii("hmac")], [check("nullValues"), check("duplicateValues")])).toEqual([]);
    expect(complaints([pii("redact")], [check("duplicateValues")]).join()).toContain("stored masked (redact)");
    for (const metric of ["missingValues", "invalidValues"]) {
      expect(complaints([pii("hmac")], [check(metric)]).join()).toContain(`measures ${metric} of "phone"`);
    }
    const own = pii("hmac", ", quality: [{ metric: invalidValues, arguments: { validValues: [a] }, mustBe: 0 }]");
    expect(complaints([own]).join()).toContain("stored masked (hmac)");
  });
});
