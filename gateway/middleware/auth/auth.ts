/** `Authorization: Bearer KEY`: who calls. What the key allows is asked by the routes. */
import type { MiddlewareHandler } from "hono";
import type { GatewayContext, GatewayEnv } from "../../context.ts";
import type { Environment } from "../../deps.ts";
import { ProblemError } from "../../problem.ts";
import { sha256Hex } from "../../sha256.ts";
import type { KeyCache } from "./key-cache.ts";

/** Printed in the documentation, so a deployed Worker refuses it, whatever its database holds (DESIGN 4). */
export const LOCAL_KEY = "local-dev-key";

export interface AuthOptions {
  readonly keys: KeyCache;
  readonly environment: Environment;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const BEARER = /^Bearer +([^ ]+) *$/i;

export function auth(options: AuthOptions): MiddlewareHandler<GatewayEnv> {
  return async function auth(c, next) {
    const key = BEARER.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) throw unauthenticated("send the header Authorization: Bearer KEY");
    if (key === LOCAL_KEY && options.environment !== "local") {
      throw unauthenticated(`${LOCAL_KEY} is for local platforms only`);
    }
    const lookup = await options.keys.lookup(await sha256Hex(key), (query) => keepAlive(c, query));
    if (lookup.state === "unavailable") {
      const detail = "the catalog of keys does not answer and this key was not seen lately: try again";
      throw new ProblemError("KEYS_UNAVAILABLE", detail, {}, {}, { cause: lookup.cause });
    }
    if (lookup.state === "unknown") throw unauthenticated("the key is unknown or was revoked");
    const { grant } = lookup;
    if (grant.expiresAt !== null && grant.expiresAt <= options.now()) throw unauthenticated("the key has expired");
    c.set("grant", grant);
    c.get("wideEvent").producer = grant.producer;
    await next();
  };
}

function unauthenticated(detail: string): ProblemError {
  return new ProblemError("UNAUTHENTICATED", detail, {}, { "WWW-Authenticate": "Bearer" });
}

function keepAlive(c: GatewayContext, query: Promise<unknown>): void {
  try {
    c.executionCtx.waitUntil(query);
  } catch {
    // Outside of a Worker there is no execution context, and nothing that would end the query early.
  }
}
