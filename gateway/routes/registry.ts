/**
 * `/registry`: the read, lookup and compatibility calls of the Confluent Schema Registry, so that its clients work unchanged
 * with this as their host. Schemas are released by deploys: what would write answers that the registry is read-only, save
 * that registering a schema which is released already answers its id, as a client that registers before it sends expects.
 */
import { type Handler, Hono, type MiddlewareHandler } from "hono";
import type { GatewayContext, GatewayEnv } from "../context.ts";
import { basicCredentials } from "../middleware/basic-credentials/basic-credentials.ts";
import { bodyLimit } from "../middleware/body-limit/body-limit.ts";
import { PROBLEMS, ProblemError, RETRY_AFTER_SECONDS } from "../problem.ts";
import { isRegistryErrorCode, RegistryError, statusOf } from "../registry/error.ts";
import {
  contractOfSubject,
  findVersion,
  objections,
  schemaOfId,
  subjects,
  subjectVersion,
  versionsOf,
} from "../registry/subjects.ts";
import { compatibilityQuery, pageQuery, REGISTRY_TYPE, schemaBody } from "./registry.api.ts";

export interface RegistryOptions {
  /** What `/v1` stands behind: authentication, limits. */
  readonly protection: readonly MiddlewareHandler<GatewayEnv>[];
  /** Enforces what the operation of a route needs. */
  readonly guardOf: (method: string, path: string) => MiddlewareHandler<GatewayEnv>;
}

/** A schema's text is a few kilobytes. */
const MAX_BODY_BYTES = 1_000_000;

type Method = "GET" | "POST" | "PUT" | "DELETE";

export function createRegistry(options: RegistryOptions): Hono<GatewayEnv> {
  const routes: readonly (readonly [Method, string, Handler<GatewayEnv>])[] = [
    ["GET", "/subjects", (c) => answer(c, paged(c, subjects()))],
    ["POST", "/subjects/:subject", lookUp],
    ["DELETE", "/subjects/:subject", readOnly],
    ["GET", "/subjects/:subject/versions", (c) => answer(c, paged(c, versionsOf(contractOf(c))))],
    ["POST", "/subjects/:subject/versions", register],
    ["GET", "/subjects/:subject/versions/:version", (c) => answer(c, versionOf(c))],
    ["DELETE", "/subjects/:subject/versions/:version", readOnly],
    ["GET", "/subjects/:subject/versions/:version/schema", (c) => answerText(c, versionOf(c).schema)],
    ["GET", "/schemas/types", (c) => answer(c, ["AVRO"])],
    ["GET", "/schemas/ids/:id", (c) => answer(c, { schema: schemaOf(c).schema })],
    ["GET", "/schemas/ids/:id/schema", (c) => answerText(c, schemaOf(c).schema)],
    ["GET", "/schemas/ids/:id/subjects", (c) => answer(c, [schemaOf(c).subject])],
    ["GET", "/schemas/ids/:id/versions", versionsOfId],
    ["POST", "/compatibility/subjects/:subject/versions", testAll],
    ["POST", "/compatibility/subjects/:subject/versions/:version", testOne],
    ["GET", "/config", (c) => answer(c, { compatibilityLevel: "FULL_TRANSITIVE" })],
    ["PUT", "/config", readOnly],
    ["GET", "/config/:subject", (c) => answer(c, { compatibilityLevel: contractOf(c).compatibility })],
    ["PUT", "/config/:subject", readOnly],
    ["GET", "/mode", (c) => answer(c, { mode: "READONLY" })],
    ["PUT", "/mode", readOnly],
  ];
  const registry = new Hono<GatewayEnv>();
  registry.use(basicCredentials());
  registry.use(...options.protection);
  for (const [method, path] of routes) registry.on(method, path, options.guardOf(method, `/registry${path}`));
  registry.use(bodyLimit({ maxBytes: MAX_BODY_BYTES }));
  for (const [method, path, handler] of routes) registry.on(method, path, handler);
  for (const [path, sorts] of Map.groupBy(routes, ([, path]) => path)) {
    registry.all(path, methodNotAllowed(sorts.map(([method]) => method)));
  }
  registry.all("*", () => {
    throw new RegistryError(404, "HTTP 404 Not Found");
  });
  registry.onError(refuse);
  return registry;
}

function contractOf(c: GatewayContext) {
  return contractOfSubject(c.req.param("subject") ?? "");
}

function versionOf(c: GatewayContext) {
  return subjectVersion(contractOf(c), c.req.param("version") ?? "");
}

function schemaOf(c: GatewayContext) {
  return schemaOfId(c.req.param("id") ?? "");
}

function versionsOfId(c: GatewayContext): Response {
  const { subject, version } = schemaOf(c);
  return answer(c, [{ subject, version }]);
}

async function lookUp(c: GatewayContext): Promise<Response> {
  const contract = contractOf(c);
  const found = findVersion(contract, await schemaIn(c));
  if (found === undefined)
    throw new RegistryError(40403, `Schema not found: no version of ${contract.topic} is this one.`);
  return answer(c, found);
}

async function register(c: GatewayContext): Promise<Response> {
  const found = findVersion(contractOf(c), await schemaIn(c));
  if (found === undefined) return readOnly(c);
  return answer(c, { id: found.id });
}

async function testOne(c: GatewayContext): Promise<Response> {
  const { version } = versionOf(c);
  return test(c, await schemaIn(c), [version]);
}

async function testAll(c: GatewayContext): Promise<Response> {
  const versions = versionsOf(contractOf(c));
  return test(c, await schemaIn(c), versions);
}

function test(c: GatewayContext, schema: string, versions: readonly number[]): Response {
  const messages = objections(contractOf(c), schema, versions);
  const verbose = compatibilityQuery.safeParse(c.req.query()).data?.verbose === "true";
  return answer(c, { is_compatible: messages.length === 0, ...(verbose ? { messages } : {}) });
}

/** The schema's text in a request's body. Throws RegistryError 42201 for anything else, another type than Avro too. */
async function schemaIn(c: GatewayContext): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of c.get("bodyChunks")().chunks) chunks.push(chunk);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(Buffer.concat(chunks)));
  } catch {
    throw new RegistryError(42201, "Invalid schema: the body is not JSON in UTF-8");
  }
  const parsed = schemaBody.safeParse(json);
  if (parsed.success) return parsed.data.schema;
  const [issue] = parsed.error.issues;
  throw new RegistryError(42201, `Invalid schema: ${issue?.path.join(".") || "body"}: ${issue?.message}`);
}

function readOnly(_c: GatewayContext): never {
  const how = "add schemas/<topic>/v<N>.avsc and its entry in schemas/releases.json, and deploy";
  throw new RegistryError(42205, `The registry is read-only: schemas are released by a deploy (${how}).`);
}

function methodNotAllowed(methods: readonly Method[]): Handler<GatewayEnv> {
  const Allow = methods.map((method) => (method === "GET" ? "GET, HEAD" : method)).join(", ");
  return () => {
    throw new ProblemError("METHOD_NOT_ALLOWED", "HTTP 405 Method Not Allowed", {}, { Allow });
  };
}

const NO_PAGE = { offset: 0, limit: -1 } as const;

/** `offset` and `limit` of the query, as far as they are numbers. */
function paged<Item>(c: GatewayContext, items: readonly Item[]): readonly Item[] {
  const { offset, limit } = pageQuery.safeParse(c.req.query()).data ?? NO_PAGE;
  return limit < 0 ? items.slice(offset) : items.slice(offset, offset + limit);
}

function answer(c: GatewayContext, body: unknown): Response {
  return answerText(c, JSON.stringify(body));
}

function answerText(c: GatewayContext, body: string): Response {
  return c.body(body, 200, { "Content-Type": REGISTRY_TYPE });
}

/** Errors in the registry's form. An unforeseen one goes up: the app logs where it was thrown. */
function refuse(error: Error, c: GatewayContext): Response {
  const refused = registryErrorOf(error);
  if (refused === undefined) throw error;
  const { code, message } = refused;
  const status = statusOf(code);
  c.get("wideEvent").problem = error instanceof ProblemError ? error.code : `REGISTRY_${code}`;
  const headers = {
    "content-type": REGISTRY_TYPE,
    ...(error instanceof ProblemError ? error.headers : {}),
    ...(status === 401 ? { "www-authenticate": 'Bearer, Basic realm="Sluice registry"' } : {}),
    ...(status === 503 ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {}),
  };
  return new Response(JSON.stringify({ error_code: code, message }), { status, headers });
}

function registryErrorOf(error: Error): RegistryError | undefined {
  if (error instanceof RegistryError) return error;
  if (!(error instanceof ProblemError)) return undefined;
  const { status } = PROBLEMS[error.code];
  return isRegistryErrorCode(status) ? new RegistryError(status, error.message) : undefined;
}
