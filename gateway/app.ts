/**
 * The gateway: middleware order and all routes on one screen. Made once per isolate, since the cache of keys lives in it.
 */
import { type Handler, Hono } from "hono";
import { findKey } from "../sql/statements/keys.ts";
import type { GatewayContext, GatewayEnv } from "./context.ts";
import type { GatewayDeps } from "./deps.ts";
import { auth } from "./middleware/auth/auth.ts";
import { grantOf } from "./middleware/auth/grant.ts";
import { createKeyCache } from "./middleware/auth/key-cache.ts";
import { bodyLimit } from "./middleware/body-limit/body-limit.ts";
import { requestId } from "./middleware/request-id/request-id.ts";
import { wideEvent } from "./middleware/wide-event/wide-event.ts";
import { ProblemError, problemResponse } from "./problem.ts";
import { postEvents } from "./routes/events.ts";
import { healthz, readyz } from "./routes/health.ts";
import { startPage } from "./routes/start-page.ts";
import { listFiles, listTables } from "./routes/tables.ts";
import { getTopic, listTopics } from "./routes/topics.ts";

export function createGateway(deps: GatewayDeps): Hono<GatewayEnv> {
  const now = () => deps.clock.now();
  const log = deps.log ?? ((line: string) => console.log(line));
  const keys = createKeyCache({
    load: async (keyHash) => {
      const row = await findKey(deps.db, keyHash);
      return row === null ? null : grantOf(row);
    },
    now,
  });
  const routes: readonly (readonly [method: "GET" | "POST", path: string, handler: Handler<GatewayEnv>])[] = [
    ["GET", "/", startPage(deps)],
    ["GET", "/healthz", healthz(deps)],
    ["GET", "/readyz", readyz(deps)],
    ["GET", "/v1/topics", listTopics],
    ["GET", "/v1/topics/:topic", getTopic],
    ["POST", "/v1/topics/:topic/events", postEvents(deps)],
    ["GET", "/v1/tables", listTables(deps)],
    ["GET", "/v1/tables/:table/files", listFiles(deps)],
  ];

  const app = new Hono<GatewayEnv>();
  // The wide event stands outside, so that it sees the status of every answer; it reads the id at its end.
  app.use(wideEvent({ log, now }));
  app.use(requestId({ uuidv7: () => deps.ids.uuidv7() }));
  app.use("/v1/*", auth({ keys, environment: deps.environment, now }));
  app.post("/v1/topics/:topic/events", bodyLimit({ maxBytes: deps.limits.bodyBytes }));
  for (const [method, path, handler] of routes) app.on(method, path, handler);
  for (const [method, path] of routes) app.all(path, methodNotAllowed(method));

  // Returned, not thrown: Hono catches what handlers throw, but not what this one does.
  app.notFound((c) => {
    const detail = `there is nothing at ${c.req.path.slice(0, 200)}; see ${new URL("/", c.req.url)}`;
    return refuse(c, new ProblemError("NOT_FOUND", detail));
  });
  app.onError((error, c) => {
    if (error instanceof ProblemError) return refuse(c, error);
    c.get("wideEvent").failure = placeOf(error);
    return refuse(c, internalError());
  });
  return app;
}

function methodNotAllowed(allowed: "GET" | "POST"): Handler<GatewayEnv> {
  const allow = allowed === "GET" ? "GET, HEAD" : allowed;
  return (c) => {
    throw new ProblemError(
      "METHOD_NOT_ALLOWED",
      `this address takes ${allow}, not ${c.req.method.slice(0, 20)}`,
      {},
      { Allow: allow },
    );
  };
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
