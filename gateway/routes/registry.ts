/**
 * `/registry`: the read, lookup and compatibility calls of the Confluent Schema Registry, so that its clients work unchanged
 * with this as their host. Schemas are released by deploys: what would write answers that the registry is read-only, save
 * that registering a schema which is released already answers its id, as a client that registers before it sends expects.
 */
import { type Handler, Hono, type MiddlewareHandler } from "hono";
import { UNSCANNED_BYTES } from "../../schemas/json-bounds.ts";
import type { GatewayContext, GatewayEnv } from "../context.ts";
import { basicCredentials } from "../middleware/basic-credentials/basic-credentials.ts";
import { type BodyLimitOptions, bodyLimit } from "../middleware/body-limit/body-limit.ts";
import { smallBodyOf } from "../openapi/json-body.ts";
import { queryOf } from "../openapi/parameters.ts";
import { PROBLEMS, ProblemError, RETRY_AFTER_SECONDS } from "../problem.ts";
import { isRegistryErrorCode, RegistryError, statusOf } from "../registry/error.ts";
import {
  allVersions,
  contractOfSubject,
  findContract,
  findVersion,
  maxId,
  objections,
  schemaOfId,
  subjects,
  subjectVersion,
  versionsOf,
} from "../registry/subjects.ts";
import {
  compatibilityQuery,
  defaultQuery,
  idQuery,
  isSet,
  lookUpQuery,
  REGISTRY_TYPE,
  registerQuery,
  schemaBody,
  schemaQuery,
  schemasQuery,
  subjectsQuery,
  versionQuery,
  versionsQuery,
} from "./registry.api.ts";

export interface RegistryOptions {
  /** What `/v1` stands behind: authentication, limits. */
  readonly protection: readonly MiddlewareHandler<GatewayEnv>[];
  /** Enforces what the operation of a route needs. */
  readonly guardOf: (method: string, path: string) => MiddlewareHandler<GatewayEnv>;
  /** How a body is read. */
  readonly reading: Omit<BodyLimitOptions, "maxBytes">;
}

/** A schema's text is a few kilobytes; so much of it may be parsed without a look at its shape. */
const MAX_BODY_BYTES = UNSCANNED_BYTES;

type Method = "GET" | "POST" | "PUT" | "DELETE";

export function createRegistry(options: RegistryOptions): Hono<GatewayEnv> {
  const routes: readonly (readonly [Method, string, Handler<GatewayEnv>])[] = [
    ["GET", "/", (c) => answer(c, {})],
    ["GET", "/contexts", (c) => answer(c, ["."])],
    ["GET", "/subjects", listSubjects],
    ["POST", "/subjects/:subject", lookUp],
    ["DELETE", "/subjects/:subject", readOnly],
    ["GET", "/subjects/:subject/versions", listVersions],
    ["POST", "/subjects/:subject/versions", register],
    ["GET", "/subjects/:subject/versions/:version", (c) => answer(c, shownVersionOf(c))],
    ["DELETE", "/subjects/:subject/versions/:version", readOnly],
    ["GET", "/subjects/:subject/versions/:version/schema", (c) => answerText(c, shownVersionOf(c).schema)],
    ["GET", "/subjects/:subject/versions/:version/referencedby", referencedBy],
    ["GET", "/schemas", listSchemas],
    ["GET", "/schemas/types", (c) => answer(c, ["AVRO"])],
    ["GET", "/schemas/ids/:id", schemaById],
    ["GET", "/schemas/ids/:id/schema", (c) => answerText(c, schemaOf(c).schema)],
    ["GET", "/schemas/ids/:id/subjects", subjectsOfId],
    ["GET", "/schemas/ids/:id/versions", versionsOfId],
    ["POST", "/compatibility/subjects/:subject/versions", testAll],
    ["POST", "/compatibility/subjects/:subject/versions/:version", testOne],
    ["GET", "/config", (c) => answer(c, GLOBAL_LEVEL)],
    ["PUT", "/config", readOnly],
    ["DELETE", "/config", readOnly],
    ["GET", "/config/:subject", compatibilityLevel],
    ["PUT", "/config/:subject", readOnly],
    ["DELETE", "/config/:subject", readOnly],
    ["GET", "/mode", (c) => answer(c, MODE)],
    ["PUT", "/mode", readOnly],
    ["GET", "/mode/:subject", mode],
    ["PUT", "/mode/:subject", readOnly],
    ["DELETE", "/mode/:subject", readOnly],
  ];
  const registry = new Hono<GatewayEnv>();
  registry.use(basicCredentials());
  registry.use(...options.protection);
  for (const [method, path] of routes) {
    registry.on(method, path, options.guardOf(method, `/registry${path === "/" ? "" : path}`));
  }
  registry.use(bodyLimit({ ...options.reading, maxBytes: MAX_BODY_BYTES }));
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

/** As `versionOf`, for the calls that take the parameters of one version. */
function shownVersionOf(c: GatewayContext) {
  queryOf(c, versionQuery);
  return versionOf(c);
}

function schemaOf(c: GatewayContext) {
  return schemaOfId(c.req.param("id") ?? "");
}

function listSubjects(c: GatewayContext): Response {
  const query = queryOf(c, subjectsQuery);
  return answer(c, isSet(query.deletedOnly) ? [] : paged(subjects(query.subjectPrefix), query));
}

function listVersions(c: GatewayContext): Response {
  const contract = contractOf(c);
  const query = queryOf(c, versionsQuery);
  return answer(c, isSet(query.deletedOnly) ? [] : paged(versionsOf(contract), query));
}

function listSchemas(c: GatewayContext): Response {
  const query = queryOf(c, schemasQuery);
  return answer(c, paged(allVersions(query.subjectPrefix ?? "", isSet(query.latestOnly)), query));
}

/** No schema refers to another: types are written out. */
function referencedBy(c: GatewayContext): Response {
  versionOf(c);
  return answer(c, []);
}

function schemaById(c: GatewayContext): Response {
  const { schema } = schemaOf(c);
  const { fetchMaxId } = queryOf(c, schemaQuery);
  return answer(c, isSet(fetchMaxId) ? { schema, maxId: maxId() } : { schema });
}

function subjectsOfId(c: GatewayContext): Response {
  const { subject } = schemaOf(c);
  const query = queryOf(c, idQuery);
  const wanted = query.subject === undefined || query.subject === subject;
  return answer(c, paged(wanted ? [subject] : [], query));
}

function versionsOfId(c: GatewayContext): Response {
  const { subject, version } = schemaOf(c);
  const query = queryOf(c, idQuery);
  const wanted = query.subject === undefined || query.subject === subject;
  return answer(c, paged(wanted ? [{ subject, version }] : [], query));
}

/** What subjects have that no contract speaks of. */
const GLOBAL_LEVEL = { compatibilityLevel: "FULL_TRANSITIVE" };
const MODE = { mode: "READONLY" };

function compatibilityLevel(c: GatewayContext): Response {
  const subject = c.req.param("subject") ?? "";
  const { defaultToGlobal } = queryOf(c, defaultQuery);
  const contract = findContract(subject);
  if (contract !== undefined) return answer(c, { compatibilityLevel: contract.compatibility });
  if (isSet(defaultToGlobal)) return answer(c, GLOBAL_LEVEL);
  const message = `Subject '${subject.slice(0, 200)}' does not have subject-level compatibility configured`;
  throw new RegistryError(40408, message);
}

function mode(c: GatewayContext): Response {
  const subject = c.req.param("subject") ?? "";
  const { defaultToGlobal } = queryOf(c, defaultQuery);
  if (findContract(subject) !== undefined || isSet(defaultToGlobal)) return answer(c, MODE);
  throw new RegistryError(40409, `Subject '${subject.slice(0, 200)}' does not have subject-level mode configured`);
}

async function lookUp(c: GatewayContext): Promise<Response> {
  queryOf(c, lookUpQuery);
  const contract = contractOf(c);
  const found = findVersion(contract, await schemaIn(c));
  if (found === undefined)
    throw new RegistryError(40403, `Schema not found: no version of ${contract.topic} is this one.`);
  return answer(c, found);
}

async function register(c: GatewayContext): Promise<Response> {
  queryOf(c, registerQuery);
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
  const verbose = isSet(queryOf(c, compatibilityQuery).verbose);
  return answer(c, { is_compatible: messages.length === 0, ...(verbose ? { messages } : {}) });
}

/** The schema's text in a request's body. Throws RegistryError 42201 for anything else, another type than Avro too. */
async function schemaIn(c: GatewayContext): Promise<string> {
  const body = await smallBodyOf(c);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body));
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

function paged<Item>(items: readonly Item[], { offset, limit }: Page): readonly Item[] {
  const start = Number(offset);
  const most = Number(limit);
  return most < 0 ? items.slice(start) : items.slice(start, start + most);
}

interface Page {
  readonly offset: string;
  readonly limit: string;
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
  const headers = new Headers({ "Content-Type": REGISTRY_TYPE });
  if (status === 503) headers.set("Retry-After", String(RETRY_AFTER_SECONDS));
  // Set, not appended: a header that the error has as well would be there twice.
  for (const [name, value] of Object.entries(error instanceof ProblemError ? error.headers : {}))
    headers.set(name, value);
  if (status === 401) headers.set("WWW-Authenticate", CHALLENGES);
  return new Response(JSON.stringify({ error_code: code, message }), { status, headers });
}

/** One challenge for each scheme. Each has a realm, so that readers which cut at commas see where the next one begins. */
const CHALLENGES = 'Basic realm="Sluice registry", Bearer realm="Sluice registry"';

function registryErrorOf(error: Error): RegistryError | undefined {
  if (error instanceof RegistryError) return error;
  if (!(error instanceof ProblemError)) return undefined;
  const { status } = PROBLEMS[error.code];
  return isRegistryErrorCode(status) ? new RegistryError(status, error.message) : undefined;
}
