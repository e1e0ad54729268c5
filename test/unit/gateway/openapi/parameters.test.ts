/**
 * The document and the code refuse the same parameters: what its patterns and ranges allow is never INVALID_PARAMETER, and
 * what they do not allow always is. A walk over every parameter of /openapi.json, with values made from its own schema.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openApiDocument } from "../../../../gateway/openapi/document.ts";
import type { Operation } from "../../../../gateway/openapi/operation.ts";
import { operations } from "../../../../gateway/openapi/operations.ts";
import { microsOf } from "../../../../gateway/openapi/times.ts";
import { createHarness, type Harness } from "../harness.ts";

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: Schema;
}
interface Schema {
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly pattern?: string;
  readonly maxLength?: number;
}

/** Parameters whose values only the gateway can make: it refuses others, which no pattern can say. */
const OPAQUE = new Set(["cursor"]);

const document: {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly parameters: readonly Parameter[] }>>>>;
} = JSON.parse(JSON.stringify(openApiDocument(operations)));
const ajv = new Ajv2020({ strict: false, validateFormats: false });

const each = operations.flatMap((operation) => {
  const { parameters = [] } = document.paths[operation.path]?.[operation.method.toLowerCase()] ?? {};
  return parameters
    .filter(({ name }) => !OPAQUE.has(name))
    .map((parameter) => [`${operation.method} ${operation.path} ${parameter.name}`, operation, parameter] as const);
});

function allowed({ enum: values, const: only, pattern, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (values !== undefined) return fc.constantFrom(...values);
  if (only !== undefined) return fc.constant(only);
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern)).filter((text) => text.length <= maxLength);
  return fc.string({ minLength: 1, maxLength });
}

/** Texts near those that are allowed: what people mistype and fuzzers try. */
function near(schema: Schema): fc.Arbitrary<string> {
  const tricky = [
    "0",
    "-1",
    "01",
    "1e3",
    "0x1",
    " 1",
    "1.0",
    "",
    "TRUE",
    "null",
    "0000-00-00",
    "2026-02-29",
    "99999999999999999999",
  ];
  const edited = fc
    .tuple(allowed(schema), fc.nat(60), fc.constantFrom("", "0", "9", "x", " ", "-", ":", "/"), fc.boolean())
    .map(([text, at, put, cut]) => text.slice(0, at) + put + text.slice(cut ? at + 1 : at));
  const long = "x".repeat((schema.maxLength ?? 300) + 1);
  return fc.oneof(fc.constantFrom(...tricky, long), edited);
}

/** As a header carries it: Fetch takes no other characters and trims the ends. */
function isHeaderText(text: string): boolean {
  return /^[!-~]([ -~]*[!-~])?$/.test(text);
}

let harness: Harness;
beforeAll(() => {
  harness = createHarness();
});
afterAll(() => expect(harness.logs.filter(({ failure }) => failure !== undefined)).toEqual([]));

async function refuses(operation: Operation, parameter: Parameter, value: string): Promise<boolean> {
  const { parameters = [] } = document.paths[operation.path]?.[operation.method.toLowerCase()] ?? {};
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  let path = operation.path;
  for (const { name, in: place, required, schema } of parameters) {
    const text = name === parameter.name ? value : required ? (KNOWN[name] ?? sampleOf(schema)) : undefined;
    if (text === undefined) continue;
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(text));
    else if (place === "query") query.set(name, text);
    else headers[name] = text;
  }
  const response = await harness.request(`${path}?${query}`, {
    method: operation.method,
    headers: { "content-type": "application/json", ...headers },
    ...(operation.body === undefined ? {} : { body: JSON.stringify({ schema: '"string"' }) }),
  });
  const body: unknown = response.headers.get("content-type")?.includes("json") ? await response.json() : {};
  return [400, 422].includes(response.status) && blames(body, parameter.name);
}

/** What the other parameters of a path are, so that the answer depends on the one under test. */
const KNOWN: Readonly<Record<string, string>> = {
  topic: "orders",
  subject: "orders-value",
  version: "latest",
  id: "100001",
};

function sampleOf(schema: Schema): string {
  return fc.sample(allowed(schema), 1)[0] ?? "";
}

/** Whether an answer refuses this parameter for what it is, not for how it goes with another (`from` after `to`). */
function blames(body: unknown, name: string): boolean {
  const { code, detail, error_code, message }: Record<string, unknown> = Object(body);
  const said = code === "INVALID_PARAMETER" ? detail : error_code === 400 ? message : undefined;
  return error_code === 42202 || new RegExp(`\\b${name}: .*(?:expected|Too big)`).test(String(said));
}

describe.each(each)("%s", (_name, operation, parameter) => {
  const isAllowed = ajv.compile(parameter.schema);
  const sendable = (text: string) =>
    parameter.in === "header" ? isHeaderText(text) : parameter.in === "query" || /^[^/?#.]+$/.test(text);
  // An id that is none is answered as one that does not exist; what is refused in any case looks at nothing.
  const isPath = parameter.in === "path" && !["version", "event_id"].includes(parameter.name);
  const isRefused = operation.responses.length === 0;

  test("takes what the document allows", async () => {
    await fc.assert(
      fc.asyncProperty(allowed(parameter.schema).filter(sendable), async (value) => {
        expect([value, await refuses(operation, parameter, value)]).toEqual([value, false]);
      }),
      { numRuns: 12 },
    );
  });

  test.skipIf(isPath || isRefused)("refuses what it does not allow", async () => {
    const wrong = fc.sample(near(parameter.schema).filter(sendable), 200).filter((text) => !isAllowed(text));
    for (const value of new Set(wrong.slice(0, 12))) {
      expect([value, await refuses(operation, parameter, value)]).toEqual([value, true]);
    }
  });
});

test("every date and time that the document allows is one", () => {
  const times = each.filter(([, , { name }]) => ["date", "from", "to", "since", "partition"].includes(name));
  expect(times.length).toBeGreaterThan(8);
  for (const [, , { schema }] of times) {
    fc.assert(
      fc.property(allowed(schema), (text) => {
        // The ledger lets seconds be left out.
        expect([text, microsOf(text.replace(/T(..:..)Z$/, "T$1:00Z"))]).toEqual([text, expect.any(Number)]);
      }),
    );
  }
});
