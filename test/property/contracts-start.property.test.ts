/**
 * Random contracts, most of them with something in them that no gateway could start with: what the build takes, the Worker
 * starts with. It makes the same admitters, judges events without an exception, and describes itself.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { jsonSchemaOf } from "../../contracts/documents/json-schema.ts";
import { planProblems } from "../../gateway/admit/plan-limits.ts";
import { createTopicAdmitter } from "../../gateway/admit/topics.ts";
import { buildCodec } from "../../schemas/codecs.ts";
import { createEventBuffer } from "../../schemas/event-buffer.ts";
import { parseExactJson } from "../../schemas/exact-json.ts";
import { compileContract } from "../../tools/build/contracts/compile.ts";
import { renderProblem } from "../../tools/build/problem.ts";
import { startProblems } from "../../tools/build/schemas/admission.ts";
import { parseAvsc } from "../../tools/build/schemas/avsc.ts";
import { longOrShare } from "../long-share.ts";
import { arbitraryEvent } from "../oracle/arbitrary-event.ts";

const RECEIVED = 1_795_262_400_000_000;

/** Names that mean something to objects, to CEL or to nobody. */
const names = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("a", "b", "c", "size", "in_", "has", "event", "matches", "true_", "x1") },
  { weight: 1, arbitrary: fc.constantFrom("constructor", "__proto__", "valueOf", "to_string", "1a", "in", "null") },
);

const patterns = fc.oneof(
  fc.constantFrom(
    "^[a-z]+$",
    "\\-",
    "(unclosed",
    "^(a+)+$",
    "a{,3}",
    "[z-a]",
    "^\\d{3}\\-x$",
    "(?<=a)b",
    "^(?=.*b)a",
    "\\p{L}",
    "]",
    "x.{40}y",
    "^.{0,3000}$",
  ),
  fc
    .array(
      fc.constantFrom(
        "a",
        "\\",
        "(",
        ")",
        "[",
        "]",
        "{",
        "2",
        ",",
        "}",
        "*",
        "+",
        "?",
        "|",
        "^",
        "$",
        "-",
        ".",
        "d",
        "é",
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join("")),
);

interface Field {
  readonly property: Readonly<Record<string, unknown>>;
  readonly avro: unknown;
  readonly required: boolean;
}

const { field } = fc.letrec<{ field: Field; value: Field }>((tie) => {
  const scalar = (logicalType: string, avro: unknown, options: fc.Arbitrary<unknown> = fc.constant(undefined)) =>
    fc.tuple(options, fc.boolean()).map(
      ([logicalTypeOptions, required]): Field => ({
        property: { logicalType, ...(logicalTypeOptions === undefined ? {} : { logicalTypeOptions }) },
        avro,
        required,
      }),
    );
  const object = fc.uniqueArray(fc.tuple(names, tie("field")), {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 3,
  });
  return {
    value: fc.oneof(
      { depthSize: "small" },
      scalar(
        "string",
        "string",
        fc.option(
          patterns.map((pattern) => ({ pattern })),
          { nil: undefined },
        ),
      ),
      scalar("string", "string", fc.constantFrom({ minLength: 2, maxLength: 9 }, { maxLength: 0 })),
      scalar("integer", "long", fc.constantFrom(undefined, { minimum: -5, maximum: 5 })),
      scalar("integer", "int"),
      scalar("number", "double"),
      scalar("number", { type: "bytes", logicalType: "decimal", precision: 8, scale: 2 }),
      scalar("boolean", "boolean"),
      scalar("timestamp", { type: "long", logicalType: "timestamp-micros" }),
      scalar("date", { type: "int", logicalType: "date" }),
      object.map(
        (members): Field => ({
          property: { logicalType: "object", properties: members.map(([name, each]) => propertyOf(name, each)) },
          avro: {
            type: "record",
            name: `R${Math.abs(hash(JSON.stringify(members)))}`,
            fields: members.map(([name, each]) => avroOf(name, each)),
          },
          required: true,
        }),
      ),
      tie("value").map(
        (item): Field => ({
          property: { logicalType: "array", items: item.property },
          avro: { type: "array", items: item.avro },
          required: true,
        }),
      ),
    ),
    field: tie("value"),
  };
});

function hash(text: string): number {
  return [...text].reduce((sum, char) => (Math.imul(sum, 31) + char.charCodeAt(0)) | 0, 7);
}

function propertyOf(name: string, { property, required }: Field): Record<string, unknown> {
  return { name, ...property, ...(required ? { required } : {}) };
}

function avroOf(name: string, { avro, required }: Field): Record<string, unknown> {
  return required ? { name, type: avro } : { name, type: ["null", avro], default: null };
}

/** Over fields that may not be there, of types that may not fit. */
const rules = fc.array(
  fc.oneof(
    fc
      .tuple(names, fc.constantFrom("==", "<", "in", "+"), fc.constantFrom("1", "'x'", "1.5", "null", "[1]", "event.a"))
      .map(([name, sign, value]) => `event.${name} ${sign} ${value}`),
    names.map((name) => `!has(event.${name}) || event.${name}.matches('^[a-z]+$')`),
    names.map((name) => `event.${name}.all(i, i > 0)`),
    fc.constantFrom(
      "true",
      "event.id.startsWith('a')",
      "event.at > timestamp('2020-01-01T00:00:00Z')",
      "event",
      "1",
      "(",
    ),
  ),
  { maxLength: 2 },
);

const key = { property: { logicalType: "string" }, avro: "string", required: true };
const time = {
  property: { logicalType: "timestamp" },
  avro: { type: "long", logicalType: "timestamp-micros" },
  required: true,
};

test(
  "what the build takes, starts",
  () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const arbitrary = fc.tuple(
      fc.uniqueArray(fc.tuple(names, field), { selector: ([name]) => name, maxLength: 3 }),
      rules,
    );
    let started = 0;
    let refused = 0;
    fc.assert(
      fc.property(arbitrary, fc.boolean(), (parts, bare) => {
        const [others, expressions] = parts;
        const members: [string, Field][] = [["id", key], ["at", time], ...others];
        const document = {
          apiVersion: "v3.1.0",
          kind: "DataContract",
          id: "things",
          version: "1.0.0",
          status: "active",
          schema: [
            {
              name: "things",
              properties: members.map(([name, each]) => ({
                ...propertyOf(name, each),
                ...(name === "id" ? { primaryKey: true } : {}),
              })),
            },
          ],
          customProperties: [
            { property: "eventTime", value: "at" },
            { property: "partition", value: { column: "at_date", source: "event" } },
            ...(bare || expressions.length === 0
              ? []
              : [
                  {
                    property: "rules",
                    value: expressions.map((expression, at) => ({
                      id: `r${at}`,
                      pointer: "",
                      description: "d",
                      expression,
                    })),
                  },
                ]),
          ],
        };
        const avsc = {
          type: "record",
          name: "Thing",
          namespace: "sluice.things",
          fields: members.map(([name, each]) => avroOf(name, each)),
        };
        const { record, problems } = parseAvsc("schemas/things/v1.avsc", JSON.stringify(avsc, null, 1));
        const release = record === undefined ? undefined : { id: 900_001, topic: "things", version: 1, schema: record };
        const compiled = compileContract(
          { file: "contracts/things.yaml", text: stringify(document) },
          release === undefined ? [] : [release],
        );
        if (!compiled.ok || release === undefined || problems.length > 0 || planProblems(release.schema).length > 0) {
          refused++;
          for (const problem of compiled.ok ? [] : compiled.problems)
            expect(problem.line, renderProblem(problem)).toBeGreaterThan(0);
          return;
        }
        started++;
        const { contract } = compiled;
        // Each cause that is known has a problem with a line: the last check finds none.
        expect(startProblems("contracts/things.yaml", contract, [release])).toEqual([]);
        const codec = buildCodec(release);
        const admitter = createTopicAdmitter(contract, [codec]);
        createTopicAdmitter(contract, [codec], "keep");
        ajv.compile({ ...jsonSchemaOf(contract, release, "x"), $id: `https://example.test/${started}` });
        const plan = admitter.judgeOf(1)?.plan;
        if (plan === undefined) throw new Error("no plan");
        const context = { received: RECEIVED, suspectSurrogates: false, output: createEventBuffer(64), masker: null };
        for (const event of [
          {},
          null,
          [],
          { id: 1, at: "x" },
          { id: "a", at: "2026-11-29T00:00:00Z", a: {}, b: [], c: "-" },
        ])
          admitter.admit(event, 0, null, context);
        for (const text of fc.sample(arbitraryEvent(plan, RECEIVED), 2))
          admitter.admit(parseExactJson(text), 0, null, context);
      }),
      { numRuns: longOrShare(1_000, 120) },
    );
    expect(started).toBeGreaterThan(25);
    expect(refused).toBeGreaterThan(25);
  },
  longOrShare(900_000, 120_000),
);
