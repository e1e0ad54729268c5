/** The document and the gateway say the same: every route is documented, and every documented answer really comes. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it, test } from "vitest";
import * as z from "zod";
import { MEDIA_TYPES } from "../../../../gateway/bodies/media-type.ts";
import { openApiDocument, problemBody, registryErrorBody } from "../../../../gateway/openapi/document.ts";
import { type Operation, refusalsOf } from "../../../../gateway/openapi/operation.ts";
import { operations } from "../../../../gateway/openapi/operations.ts";
import { createHarness, type Harness } from "../harness.ts";
import type { ResponseKey } from "./case.ts";
import { bodyOf, cases } from "./cases.ts";

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const nameOf = ({ method, path }: Operation) => `${method} ${path}`;
const LIMITS = { bodyBytes: 200_000, eventsPerRequest: 100 };

function documented(operation: Operation): ResponseKey[] {
  return [
    ...operation.responses.map(({ status }) => String(status)),
    ...refusalsOf(operation).map(({ status, code }) => `${status} ${code}`),
  ];
}

/** An address of the operation, for the answers that come before its parameters are looked at. */
const addressOf = ({ path }: Operation) => path.replace("{topic}", "orders").replaceAll(/\{(\w+)\}/g, "1");

/** Gateways that let no call through: what one refuses leaves nothing behind for the next. */
const keyless = createHarness();
const forbidding = createHarness();
// A publishable key that is used from its own origin, but allows nothing.
forbidding.db.sqlite.exec(`UPDATE api_keys SET kind = 'publishable', scopes = '[]', origins = '["https://a.example"]'`);
const exhausted = createHarness({ requestsPerKey: 0 });
const databaseDown = createHarness();
databaseDown.db.setDown(true);

/** The answers that follow from how calls are protected, the same for all of them. */
const PROTECTION: Readonly<Record<string, (operation: Operation) => Promise<Response>>> = {
  "401": (operation) => call(keyless, operation, { authorization: "" }),
  "403": (operation) => call(forbidding, operation, { origin: "https://a.example" }),
  "429": (operation) => call(exhausted, operation),
  "503": (operation) => call(databaseDown, operation),
};

function call(harness: Harness, operation: Operation, headers: Record<string, string> = {}): Promise<Response> {
  return harness.request(addressOf(operation), { method: operation.method, headers });
}

function protectionOf(operation: Operation, key: ResponseKey) {
  const [status = "", code] = key.split(" ");
  const implied = refusalsOf({ ...operation, refusals: [] }).some((refusal) => refusal.code === code);
  return implied ? PROTECTION[status] : undefined;
}

test("every documented answer has a case, and every case is documented", () => {
  const expected = Object.fromEntries(
    operations.map((operation) => [
      nameOf(operation),
      documented(operation)
        .filter((key) => protectionOf(operation, key) === undefined)
        .sort(),
    ]),
  );
  const present = Object.fromEntries(
    Object.entries(cases).map(([operation, own]) => [operation, Object.keys(own).sort()]),
  );
  expect(present).toEqual(expected);
});

describe.each(operations.map((operation) => [nameOf(operation), operation] as const))("%s", (name, operation) => {
  test.each(documented(operation))("%s", async (key) => {
    const protection = protectionOf(operation, key);
    const response = await (protection === undefined
      ? cases[name]?.[key]?.(createHarness({ limits: LIMITS }))
      : protection(operation));
    if (response === undefined) throw new Error("no case");
    const body = await bodyOf(response);
    const [status, code] = key.split(" ");
    expect(`${response.status} ${JSON.stringify(body)}`).toMatch(new RegExp(`^${status} `));
    if (code === undefined) {
      const content = operation.responses.find((success) => success.status === Number(status))?.content;
      const type = response.headers.get("content-type")?.split(";")[0] ?? "";
      if (status === "204") return expect({ body, content, type }).toEqual({ body: "", content: {}, type: "" });
      expect(Object.keys(content ?? {})).toContain(type);
      expect(content?.[type]?.safeParse(body).error?.issues).toBeUndefined();
      // By the document's own words as well: zod lets members pass that the document does not know.
      const documentedSchema = content?.[type];
      if (documentedSchema !== undefined) {
        const isDocumented = ajv.compile(z.toJSONSchema(documentedSchema, { io: "output" }));
        isDocumented(body);
        expect(isDocumented.errors).toBeNull();
      }
    } else if (operation.form === "registry") {
      expect(response.headers.get("content-type")).toBe("application/vnd.schemaregistry.v1+json");
      expect(registryErrorBody.parse(body).error_code).toBe(Number(code));
    } else {
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(problemBody.parse(body)).toMatchObject({ code, status: Number(status) });
    }
  });
});

test("every route is documented, and no other", () => {
  const routes = new Set<string>();
  for (const { method, path } of createHarness().routes()) {
    if (method !== "ALL" && !path.includes("*")) routes.add(`${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  }
  expect([...routes].sort(), "describe the call in gateway/routes/NAME.api.ts").toEqual(operations.map(nameOf).sort());
});

test("every format of events that the gateway takes is documented", () => {
  const events = operations.find((operation) => operation.path === "/v1/topics/{topic}/events");
  expect(Object.keys(events?.body?.content ?? {})).toEqual(MEDIA_TYPES);
});

describe("the document", () => {
  const document = openApiDocument(operations);
  it("is served as it is made, and is JSON all through", async () => {
    const response = await createHarness().request("/openapi.json");
    expect(await bodyOf(response)).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it("has unique operation ids, a description for every parameter and schemas that are JSON Schema", () => {
    const ids = new Set<unknown>();
    const ajv = new Ajv2020({ strict: false });
    for (const [path, item] of Object.entries(document.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      for (const operation of Object.values(item)) {
        ids.add(operation["operationId"]);
        const parameters = JSON.parse(JSON.stringify(operation["parameters"]));
        for (const parameter of parameters) {
          expect(parameter).toMatchObject({ name: expect.any(String), description: expect.any(String) });
          ajv.compile(parameter.schema);
        }
        const inPath = parameters.filter((parameter: { in: string }) => parameter.in === "path");
        expect(inPath.map((parameter: { name: string }) => parameter.name).sort()).toEqual(names.sort());
      }
    }
    expect(ids.size).toBe(operations.length);
  });

  it("/docs needs nothing from elsewhere and names every call", async () => {
    const page = await (await createHarness().request("/docs", { headers: { authorization: "" } })).text();
    expect(page).not.toMatch(/<script|src=|@import|<link|https?:\/\/(?!json-schema\.org)/);
    for (const { method, path } of operations) expect(page).toContain(`<code>${method} ${path}</code>`);
  });
});
