/**
 * The gateway: middleware order and all routes on one screen. Made once per isolate, since the cache of keys lives in it.
 */
import { timingSafeEqual } from "node:crypto";
import { type Handler, Hono, type MiddlewareHandler } from "hono";
import { backPressure as heldOffTopics } from "../sql/statements/back-pressure.ts";
import { findKey, keyHashes, keyOrigins, originHasKey } from "../sql/statements/keys.ts";
import { grantOf } from "./access/grant.ts";
import { guard } from "./access/guard.ts";
import type { GatewayContext, GatewayEnv } from "./context.ts";
import type { GatewayDeps } from "./deps.ts";
import { createMethodFinder } from "./method-finder.ts";
import { createRequestCounts } from "./metrics/request-counts.ts";
import { auth } from "./middleware/auth/auth.ts";
import { createLookupCache } from "./middleware/auth/lookup-cache.ts";
import { createMissLimit } from "./middleware/auth/miss-limit.ts";
import { createNameList } from "./middleware/auth/name-list.ts";
import { backPressure } from "./middleware/back-pressure/back-pressure.ts";
import { bodyLimit } from "./middleware/body-limit/body-limit.ts";
import { cors } from "./middleware/cors/cors.ts";
import { localHost } from "./middleware/local-host/local-host.ts";
import { createByteBudget } from "./middleware/memory-budget/byte-budget.ts";
import { memoryBudget } from "./middleware/memory-budget/memory-budget.ts";
import { rateLimit } from "./middleware/rate-limit/rate-limit.ts";
import { requestId } from "./middleware/request-id/request-id.ts";
import { requestMetrics } from "./middleware/request-metrics/request-metrics.ts";
import { safeHeaders } from "./middleware/safe-headers/safe-headers.ts";
import { unreadBody } from "./middleware/unread-body/unread-body.ts";
import { wideEvent } from "./middleware/wide-event/wide-event.ts";
import { needOf } from "./openapi/operations.ts";
import { isOtlpPath, OTLP_REMEDY } from "./otlp.ts";
import { ProblemError, problemResponse } from "./problem.ts";
import { getActivity, listActivity } from "./routes/activity.ts";
import { getBackfill, getBackfills, postBackfill, postBackfillCancel, postBackfillResume } from "./routes/backfills.ts";
import { getContract, getExample, getJsonSchema } from "./routes/contracts.ts";
import { getDeadLetter, listDeadLetters } from "./routes/dead-letters.ts";
import { postDecision } from "./routes/decisions.ts";
import { postEvents } from "./routes/events.ts";
import { postFlush } from "./routes/flush.ts";
import { healthz, readyz } from "./routes/health.ts";
import { getKeys, postKey, postRevocation, postRotation } from "./routes/keys.ts";
import { getLag } from "./routes/lag.ts";
import { getLedger } from "./routes/ledger.ts";
import { getMetrics } from "./routes/metrics.ts";
import {
  getInput,
  postCommit,
  postFailure,
  postLease,
  postOutputJoin,
  postOutputOpen,
  postRenewal,
  putOutput,
} from "./routes/native-builds.ts";
import { getDocs, getOpenApi } from "./routes/openapi.ts";
import { getParked, getParkedItem, postParkedRetry } from "./routes/parked.ts";
import { getPartition, getPartitions } from "./routes/partitions.ts";
import { getEvents } from "./routes/peek.ts";
import { createRegistry } from "./routes/registry.ts";
import { postReplay } from "./routes/replay.ts";
import { postRelease, postRollback } from "./routes/rollbacks.ts";
import { getQuality, getRuns } from "./routes/runs.ts";
import { startPage } from "./routes/start-page.ts";
import { listFiles, listQuarantine, listTables, listTableVersions } from "./routes/tables.ts";
import { getTopic, listTopics } from "./routes/topics.ts";
import { getEvent } from "./routes/trace.ts";

export function createGateway(deps: GatewayDeps): Hono<GatewayEnv> {
  const now = () => deps.clock.now();
  const log = deps.log ?? ((line: string) => console.log(line));
  // Keys and origins are counted together: they are asked for by the same callers.
  const missLimit = createMissLimit();
  const keys = createLookupCache({
    missLimit,
    names: createNameList({ load: (limit) => keyHashes(deps.db, limit), now }),
    load: async (keyHash) => {
      const row = await findKey(deps.db, keyHash);
      return row === null || !sameHash(row.key_hash, keyHash) ? null : grantOf(row);
    },
    now,
  });
  const origins = createLookupCache<true>({
    missLimit,
    names: createNameList({ load: (limit) => keyOrigins(deps.db, limit), now }),
    load: async (origin) => ((await originHasKey(deps.db, origin, new Date(now()).toISOString())) ? true : null),
    now,
  });
  const counts = createRequestCounts();
  const routes: readonly (readonly [method: "GET" | "POST" | "PUT", path: string, handler: Handler<GatewayEnv>])[] = [
    ["GET", "/", startPage(deps)],
    ["GET", "/healthz", healthz(deps)],
    ["GET", "/readyz", readyz(deps)],
    ["GET", "/metrics", getMetrics(deps, counts)],
    ["GET", "/openapi.json", getOpenApi],
    ["GET", "/docs", getDocs],
    ["GET", "/v1/topics", listTopics],
    ["GET", "/v1/topics/:topic", getTopic],
    ["GET", "/v1/topics/:topic/lag", getLag(deps)],
    ["POST", "/v1/topics/:topic/events", postEvents(deps)],
    ["GET", "/v1/topics/:topic/events", getEvents(deps)],
    ["GET", "/v1/topics/:topic/activity", getActivity(deps)],
    ["POST", "/v1/topics/:topic/flush", postFlush(deps)],
    ["GET", "/v1/activity", listActivity(deps)],
    ["GET", "/v1/contracts/:topic", getContract],
    ["GET", "/v1/contracts/:topic/example", getExample(deps)],
    ["GET", "/v1/contracts/:topic/schema.json", getJsonSchema],
    ["GET", "/v1/tables", listTables(deps)],
    ["GET", "/v1/tables/:table/files", listFiles(deps)],
    ["GET", "/v1/dead-letters", listDeadLetters(deps)],
    ["GET", "/v1/dead-letters/:dlq_id", getDeadLetter(deps)],
    ["POST", "/v1/dead-letters/replay", postReplay(deps)],
    ["GET", "/v1/parked", getParked(deps)],
    ["GET", "/v1/parked/item", getParkedItem(deps)],
    ["POST", "/v1/parked/retry", postParkedRetry(deps)],
    ["GET", "/v1/tables/:table/quarantine", listQuarantine(deps)],
    ["GET", "/v1/tables/:table/versions", listTableVersions(deps)],
    ["POST", "/v1/tables/:table/rollback", postRollback(deps)],
    ["POST", "/v1/tables/:table/release", postRelease(deps)],
    ["GET", "/v1/ledger", getLedger(deps)],
    ["GET", "/v1/events/:event_id", getEvent(deps)],
    ["GET", "/v1/partitions", getPartitions(deps)],
    ["GET", "/v1/partitions/:table/:date", getPartition(deps)],
    ["POST", "/v1/partitions/:table/:date/decisions", postDecision(deps)],
    ["GET", "/v1/runs", getRuns(deps)],
    ["GET", "/v1/quality", getQuality(deps)],
    ["POST", "/v1/backfills", postBackfill(deps)],
    ["GET", "/v1/backfills", getBackfills(deps)],
    ["GET", "/v1/backfills/:backfill_id", getBackfill(deps)],
    ["POST", "/v1/backfills/:backfill_id/cancel", postBackfillCancel(deps)],
    ["POST", "/v1/backfills/:backfill_id/resume", postBackfillResume(deps)],
    ["POST", "/v1/builds/lease", postLease(deps)],
    ["POST", "/v1/builds/runs/:run/renew", postRenewal(deps)],
    ["GET", "/v1/builds/runs/:run/inputs", getInput(deps)],
    ["PUT", "/v1/builds/runs/:run/outputs/:n", putOutput(deps)],
    ["POST", "/v1/builds/runs/:run/outputs/:n/open", postOutputOpen(deps)],
    ["POST", "/v1/builds/runs/:run/outputs/:n/join", postOutputJoin(deps)],
    ["POST", "/v1/builds/runs/:run/commit", postCommit(deps)],
    ["POST", "/v1/builds/runs/:run/fail", postFailure(deps)],
    ["GET", "/v1/keys", getKeys(deps)],
    ["POST", "/v1/keys", postKey(deps)],
    ["POST", "/v1/keys/:key_id/rotate", postRotation(deps)],
    ["POST", "/v1/keys/:key_id/revoke", postRevocation(deps)],
  ];

  // Not strict: a slash at the end of an address changes nothing, neither for routes nor for what stands before them.
  const app = new Hono<GatewayEnv>({ strict: false });
  app.use(unreadBody({ environment: deps.environment }));
  // The wide event stands outside of what may refuse, so that it sees the status of every answer; it reads the id at its end.
  app.use(wideEvent({ log, now }));
  app.use(requestMetrics({ counts, now }));
  app.use(safeHeaders());
  app.use(memoryBudget(createByteBudget(deps.limits.memory)));
  app.use(requestId({ uuidv7: () => deps.ids.uuidv7() }));
  app.use(localHost({ environment: deps.environment }));
  const authenticate = auth({ keys, environment: deps.environment, now });
  // Before auth: a preflight has no key, and refusals have no business with other origins.
  app.use("/v1/topics/:topic/events", cors({ origins }));
  const limitRate = rateLimit({ limiter: deps.requestLimiter, environment: deps.environment, now });
  app.use("/v1/*", authenticate, limitRate);
  app.use("/metrics", authenticate, limitRate);
  // Before any body is read: a key that may not make the call costs nothing further.
  for (const [method, path] of routes) app.on(method, path, guardOf(method, path));
  app.post("/v1/topics/:topic/events", backPressure({ load: (time) => heldOffTopics(deps.db, time), now }));
  const reading = { deadlines: deps.limits.deadlines, now };
  const smallBody = bodyLimit({ ...reading, maxBytes: KEY_BODY_BYTES });
  app.post("/v1/topics/:topic/events", bodyLimit({ ...reading, maxBytes: deps.limits.bodyBytes }));
  app.post("/v1/keys", smallBody);
  app.post("/v1/keys/*", smallBody);
  app.post("/v1/backfills", smallBody);
  app.post("/v1/partitions/:table/:date/decisions", smallBody);
  app.post("/v1/tables/:table/rollback", smallBody);
  app.post("/v1/tables/:table/release", smallBody);
  app.post("/v1/builds/*", bodyLimit({ ...reading, maxBytes: BUILDER_BODY_BYTES }));
  app.post("/v1/parked/retry", smallBody);
  app.post("/v1/dead-letters/replay", smallBody);
  for (const [method, path, handler] of routes) app.on(method, path, handler);
  app.route("/registry", createRegistry({ protection: [authenticate, limitRate], guardOf, reading }));

  const methodsAt = createMethodFinder(routes);
  // Returned, not thrown: Hono catches what handlers throw, but not what this one does.
  app.notFound((c) => {
    const methods = methodsAt(c.req.path);
    if (methods.length > 0) return refuse(c, methodNotAllowed(c.req.method, methods));
    const remedy = isOtlpPath(c.req.path) ? OTLP_REMEDY : `see ${new URL("/", c.req.url)}`;
    const detail = `there is nothing at ${c.req.path.slice(0, 200)}; ${remedy}`;
    return refuse(c, new ProblemError("NOT_FOUND", detail));
  });
  app.onError((error, c) => {
    if (error instanceof ProblemError) return refuse(c, error);
    c.get("wideEvent").failure = placeOf(error);
    return refuse(c, internalError());
  });
  return app;
}

/** Throws at the start for a route that no operation describes. */
function guardOf(method: string, path: string): MiddlewareHandler<GatewayEnv> {
  return guard(needOf(method, path));
}

/** A hundred scopes and twenty origins fit. */
const KEY_BODY_BYTES = 64_000;

/** A commit of 800 files and as many measures fits. What a PUT sends is no such body: it passes through. */
const BUILDER_BODY_BYTES = 1_000_000;

// The database compared them already; this one takes the same time wherever they differ.
function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function methodNotAllowed(got: string, methods: readonly string[]): ProblemError {
  const allow = methods.map((method) => (method === "GET" ? "GET, HEAD" : method)).join(", ");
  const detail = `this address takes ${allow}, not ${got.slice(0, 20)}`;
  return new ProblemError("METHOD_NOT_ALLOWED", detail, {}, { Allow: allow });
}

function refuse(c: GatewayContext, problem: ProblemError): Response {
  const wide = c.get("wideEvent");
  wide.problem = problem.code;
  if (problem.cause !== undefined) wide.failure = messageOf(problem.cause);
  return problemResponse(problem, c.get("requestId"));
}

function internalError(): ProblemError {
  const detail = "an error of ours, not of the request: nothing is known to be stored, send it again";
  return new ProblemError("INTERNAL_ERROR", detail);
}

// An unforeseen error's message may quote the payload (avsc's do), and a log must not: its name and where it was thrown do.
function placeOf(error: Error): string {
  const frames = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
  return [error.name, ...frames.slice(0, 5).map((frame) => frame.trim())].join(" ");
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}`.slice(0, 500) : "unknown";
}
