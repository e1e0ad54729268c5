/** The registry's answers in detail; that each documented one comes is openapi/openapi.test.ts's part. */
import { describe, expect, it, test } from "vitest";
import { contracts } from "../../../contracts/registry.ts";
import { addKey, bearer, createHarness } from "./harness.ts";

interface Version {
  readonly subject: string;
  readonly id: number;
  readonly version: number;
  readonly schema: string;
}

async function get<Body>(path: string): Promise<Body> {
  const response = await createHarness().request(`/registry${path}`);
  const body: Body = JSON.parse(await response.text());
  return body;
}

async function post<Body>(path: string, body: unknown): Promise<Body> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await createHarness().request(`/registry${path}`, { method: "POST", body: text });
  const answer: Body = JSON.parse(await response.text());
  return answer;
}

const latest = await get<Version>("/subjects/orders-value/versions/latest");
type AvroField = { name: string; type: unknown; doc?: string; default?: unknown };
const schema: { fields: AvroField[]; [member: string]: unknown } = JSON.parse(latest.schema);

describe("reading", () => {
  it("has one subject a topic, in order, and pages", async () => {
    const all = contracts.map(({ topic }) => `${topic}-value`).sort();
    expect(await get("/subjects")).toEqual(all);
    expect(await get("/subjects?offset=1&limit=2")).toEqual(all.slice(1, 3));
    expect(await get("/subjects?offset=999999999")).toEqual([]);
    for (const wrong of ["offset=x", "offset=-1", "offset=9007199254740993", "limit=1e3", "limit=", "offset=0x1"]) {
      expect([wrong, await get(`/subjects?${wrong}`)]).toEqual([
        wrong,
        { error_code: 400, message: expect.any(String) },
      ]);
    }
    expect(await get("/subjects/orders-value/versions")).toContain(1);
  });

  it("the same schema by subject and version, and by id", async () => {
    const version = await get<Version>(`/subjects/orders-value/versions/${latest.version}`);
    expect(version).toEqual(latest);
    expect(await get("/subjects/orders-value/versions/-1")).toEqual(latest);
    expect(await get(`/schemas/ids/${latest.id}`)).toEqual({ schema: latest.schema });
    expect(await get(`/schemas/ids/${latest.id}/schema`)).toEqual(schema);
    expect(await get("/subjects/orders-value/versions/latest/schema")).toEqual(schema);
    expect(await get(`/schemas/ids/${latest.id}/versions`)).toEqual([
      { subject: "orders-value", version: latest.version },
    ]);
    expect(await get(`/schemas/ids/${latest.id}/subjects`)).toEqual(["orders-value"]);
  });

  it("filters subjects, versions and schemas as asked", async () => {
    const all = contracts.map(({ topic }) => `${topic}-value`).sort();
    expect(await get("/subjects?subjectPrefix=order")).toEqual(["order_changes-value", "orders-value"]);
    for (const prefix of [":*:", ":.:"]) expect(await get(`/subjects?subjectPrefix=${prefix}`)).toEqual(all);
    expect(await get("/subjects?subjectPrefix=:.:orders")).toEqual(["orders-value"]);
    expect(await get("/subjects?subjectPrefix=:.other:")).toEqual([]);
    expect(await get("/subjects?deleted=true")).toEqual(all);
    expect(await get("/subjects?deletedOnly=true")).toEqual([]);
    // As Confluent's client for Python writes them.
    expect(await get("/subjects?deleted=False&deletedOnly=True")).toEqual([]);
    expect(await get("/schemas?subjectPrefix=orders-&latestOnly=True&deleted=False")).toEqual([latest]);
    expect(await get("/subjects/orders-value/versions?deletedOnly=true&deleted=true")).toEqual([]);
    expect(await get("/subjects/orders-value/versions?limit=1")).toEqual([1]);
    const schemas = await get<Version[]>("/schemas?subjectPrefix=orders-");
    expect(schemas.map(({ version }) => version)).toEqual(await get("/subjects/orders-value/versions"));
    expect(await get("/schemas?subjectPrefix=orders-&latestOnly=true")).toEqual([latest]);
    expect(await get("/schemas?latestOnly=true&offset=2&limit=3&deleted=false")).toMatchObject(
      all.slice(2, 5).map((subject) => ({ subject })),
    );
    expect((await get<Version[]>("/schemas")).length).toBe(contracts.flatMap(({ schemas }) => schemas).length);
  });

  it("filters what has an id by subject", async () => {
    for (const part of ["subjects", "versions"]) {
      expect(await get(`/schemas/ids/${latest.id}/${part}?subject=orders-value`)).toHaveLength(1);
      expect(await get(`/schemas/ids/${latest.id}/${part}?subject=weather-value`)).toEqual([]);
      expect(await get(`/schemas/ids/${latest.id}/${part}?offset=1`)).toEqual([]);
    }
    const ids = contracts.flatMap(({ schemas }) => schemas.map(({ id }) => id));
    expect(await get(`/schemas/ids/${latest.id}?fetchMaxId=true&subject=x`)).toEqual({
      schema: latest.schema,
      maxId: Math.max(...ids),
    });
  });

  it("knows one context, and subjects that name it", async () => {
    expect(await get("/contexts")).toEqual(["."]);
    expect(await get("/subjects/:.:orders-value/versions/latest")).toEqual(latest);
    expect(await get("/subjects/:.other:orders-value/versions/latest")).toMatchObject({ error_code: 40401 });
    expect(await get("/subjects/orders-value/versions/latest/referencedby")).toEqual([]);
    expect(await get("")).toEqual({});
  });

  it("takes a slash at the end of each address", async () => {
    const paths = [
      "",
      "/subjects",
      "/config/orders-value",
      "/mode",
      "/schemas/types",
      "/subjects/orders-value/versions/1",
    ];
    for (const path of paths) {
      const [with_, without] = [await get(`${path}/`), await get(path)];
      expect([path, with_]).toEqual([path, without]);
    }
    expect(await post("/subjects/orders-value/", { schema: latest.schema })).toEqual(latest);
    expect(await get("/nothing/")).toMatchObject({ error_code: 404 });
  });

  test.each(["0", "-2", "1.5", "one", "01", "+1", "1000000000", "99999999999"])(
    "version %s is no version",
    async (version) => {
      expect(await get(`/subjects/orders-value/versions/${version}`)).toMatchObject({ error_code: 42202 });
    },
  );

  it("says READONLY and the mode of compatibility", async () => {
    expect(await get("/mode")).toEqual({ mode: "READONLY" });
    expect(await get("/mode/orders-value")).toEqual({ mode: "READONLY" });
    expect(await get("/config/orders-value")).toEqual({ compatibilityLevel: "FULL_TRANSITIVE" });
    expect(await get("/config/nope-value?defaultToGlobal=false")).toMatchObject({ error_code: 40408 });
    expect(await get("/config/nope-value?defaultToGlobal=true")).toEqual({ compatibilityLevel: "FULL_TRANSITIVE" });
    expect(await get("/mode/nope-value?defaultToGlobal=true")).toEqual({ mode: "READONLY" });
  });
});

describe("looking up", () => {
  it("finds a schema however it is written", async () => {
    const rewritten = {
      fields: schema.fields.map(({ doc: _doc, ...field }) => field),
      type: "record",
      name: `${schema["namespace"]}.${schema["name"]}`,
    };
    expect(await post("/subjects/orders-value", { schema: JSON.stringify(rewritten, null, 2) })).toEqual(latest);
    expect(await post("/subjects/orders-value/versions", { schema: JSON.stringify(rewritten) })).toEqual({
      id: latest.id,
    });
  });

  it("takes a body whose other members are null, as Java's client writes it", async () => {
    const nulls = { schemaType: null, references: null, metadata: null, ruleSet: null, id: null, version: null };
    const body = { ...nulls, schema: latest.schema, subject: "orders-value" };
    expect(await post("/subjects/orders-value?normalize=True&deleted=False", body)).toEqual(latest);
    expect(await post("/subjects/orders-value/versions?normalize=false", body)).toEqual({ id: latest.id });
    expect(await post("/compatibility/subjects/orders-value/versions/latest", body)).toEqual({ is_compatible: true });
    const rules = { schema: latest.schema, ruleSet: { domainRules: [] } };
    expect(await post("/subjects/orders-value", rules)).toMatchObject({ error_code: 42201 });
  });

  it("does not take another schema for it", async () => {
    const plain = { ...schema, fields: schema.fields.map((field) => ({ ...field, type: without(field.type) })) };
    for (const changed of [plain, { ...schema, fields: schema.fields.slice(1) }, { ...schema, name: "Other" }]) {
      const body = { schema: JSON.stringify(changed) };
      expect(await post("/subjects/orders-value", body)).toMatchObject({ error_code: 40403 });
      expect(await post("/subjects/orders-value/versions", body)).toMatchObject({ error_code: 42205 });
    }
    expect(await post("/subjects/weather-value", { schema: latest.schema })).toMatchObject({ error_code: 40403 });
  });

  // Without its logical type a time is a bare number: the same bytes, another meaning.
  function without(type: unknown): unknown {
    return JSON.parse(JSON.stringify(type, (key, value: unknown) => (key === "logicalType" ? undefined : value)));
  }

  test.each([
    ["no JSON", "{"],
    ["no schema", {}],
    ["a schema that is an object", { schema: {} }],
    ["a schema that is none", { schema: '{"type":"record"}' }],
    ["another type of schema", { schema: "{}", schemaType: "PROTOBUF" }],
    ["references", { schema: '"string"', references: [{ name: "a", subject: "b", version: 1 }] }],
  ])("%s is an invalid schema", async (_what, body) => {
    expect(await post("/subjects/orders-value", body)).toMatchObject({ error_code: 42201, message: /^Invalid schema/ });
  });
});

describe("testing compatibility", () => {
  const ask = (changed: unknown, path = "") =>
    post(`/compatibility/subjects/orders-value/versions${path}?verbose=true`, { schema: JSON.stringify(changed) });
  const added = (field: AvroField) => ({ ...schema, fields: [...schema.fields, field] });

  it("takes what could be released", async () => {
    const compatible = { is_compatible: true, messages: [] };
    expect(await ask(schema)).toEqual(compatible);
    expect(await ask(added({ name: "note", type: ["null", "string"], default: null }))).toEqual(compatible);
    expect(await ask(schema, "/latest")).toEqual(compatible);
  });

  it("says why not", async () => {
    expect(await ask(added({ name: "note", type: "string" }), "/1")).toEqual({
      is_compatible: false,
      messages: [expect.stringMatching(/^the new schema cannot read version 1: field "note"/)],
    });
    const dropped = { ...schema, fields: schema.fields.slice(1) };
    expect(await ask(dropped, "/latest")).toEqual({
      is_compatible: false,
      messages: [expect.stringMatching(/^version \d+ cannot read the new schema: field "event_id"/)],
    });
    expect(await ask({ ...schema, fields: [{ name: "m", type: { type: "map", values: "int" } }] })).toEqual({
      is_compatible: false,
      messages: [expect.stringMatching(/^Sluice could not release this schema: field "m": the type .*map/)],
    });
  });

  it("is short unless asked", async () => {
    const body = { schema: JSON.stringify({ ...schema, fields: [] }) };
    expect(await post("/compatibility/subjects/orders-value/versions/1", body)).toEqual({ is_compatible: false });
  });
});

describe("access", () => {
  const status = async (authorization: string, path = "/registry/subjects") =>
    (await createHarness().request(path, { headers: { authorization } })).status;
  const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString("base64")}`;

  it("is by Bearer, or by Basic with the key as password or as user", async () => {
    expect(await status("Bearer local-dev-key")).toBe(200);
    expect(await status(basic("anyone:local-dev-key"))).toBe(200);
    expect(await status(basic("local-dev-key:"))).toBe(200);
    expect(await status(basic("anyone:wrong"))).toBe(401);
    expect(await status(basic("anyone:wr ong\u00e9"))).toBe(401);
    expect(await status("Basic !")).toBe(401);
    expect(await status("")).toBe(401);
  });

  it("is asked for by one challenge for each scheme", async () => {
    const response = await createHarness().bare("/registry/subjects", {});
    expect(response.headers.get("www-authenticate")).toBe(
      'Basic realm="Sluice registry", Bearer realm="Sluice registry"',
    );
    expect((await createHarness().bare("/v1/topics", {})).headers.get("www-authenticate")).toBe("Bearer");
    const harness = createHarness();
    harness.db.setDown(true);
    for (const path of ["/registry/subjects", "/v1/topics"]) {
      expect((await harness.request(path)).headers.get("retry-after")).toBe("5");
    }
  });

  it("Basic is for the registry only", async () => {
    expect(await status(basic("anyone:local-dev-key"), "/v1/topics")).toBe(401);
  });

  it("other addresses and methods are refused in the registry's form, and the log says so", async () => {
    const harness = createHarness();
    const missing = await harness.request("/registry/nothing");
    expect([missing.status, JSON.parse(await missing.text())]).toEqual([
      404,
      { error_code: 404, message: expect.any(String) },
    ]);
    const refused = await harness.request("/registry/config", { method: "PATCH" });
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, PUT, DELETE"]);
    expect((await harness.request("/registry/subjects", { method: "HEAD" })).status).toBe(200);
    expect(harness.logs.map(({ problem }) => problem)).toEqual(["REGISTRY_404", "METHOD_NOT_ALLOWED", undefined]);
  });
});

describe("limits", () => {
  it("counts its requests with the key's others, and says when to come back", async () => {
    const harness = createHarness({ requestsPerKey: 2 });
    addKey(harness.db, "small", ["*:read"]);
    const headers = { authorization: bearer("small") };
    const paths = ["/v1/topics", "/registry/subjects", "/registry/schemas/types", "/registry/no/such/path"];
    const answers: Response[] = [];
    for (const path of paths) answers.push(await harness.request(path, { headers }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
    expect(answers[2]?.headers.get("retry-after")).toBe("10");
    expect(await answers[2]?.json()).toMatchObject({ error_code: 429 });
  });

  const text = JSON.stringify({ schema: "x".repeat(1_000_001) });
  it.each<[string, () => RequestInit]>([
    ["that says so", () => ({ body: text, headers: { "content-length": String(text.length) } })],
    ["that does not", () => ({ body: new Blob([text]).stream(), duplex: "half" })],
  ])("refuses a body over a megabyte %s", async (_name, init) => {
    for (const path of ["/subjects/orders-value", "/compatibility/subjects/orders-value/versions"]) {
      const response = await createHarness().request(`/registry${path}`, { method: "POST", ...init() });
      expect([path, response.status]).toEqual([path, 413]);
    }
  });
});
