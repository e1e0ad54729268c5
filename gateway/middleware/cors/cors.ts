/**
 * Cross-origin requests of browsers (WHATWG Fetch, "CORS protocol"): only to the origins that publishable keys are bound to.
 * A preflight carries no key, so it is asked whether any key has the origin; the request itself is allowed by its own key.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import { isOrigin } from "../../keys/origin.ts";
import { ProblemError } from "../../problem.ts";
import { callerOf } from "../auth/caller.ts";
import type { LookupCache } from "../auth/lookup-cache.ts";
import { tooManyMisses } from "../auth/miss-limit.ts";
import { allowedHeaders } from "./allowed-headers.ts";

export interface CorsOptions {
  /** Knows an origin that a publishable key in force is bound to. */
  readonly origins: LookupCache<true>;
}

const ALLOWED_METHODS = "POST";
const EXPOSED_HEADERS = "Retry-After, X-Request-Id, Idempotent-Replayed";
/**
 * A beacon whose Blob is application/json is always a request with credentials, and pages fetch with `credentials: "include"`.
 * Neither passes without this. It opens nothing: no answer depends on a cookie, only on the key and its origins.
 */
const ALLOW_CREDENTIALS = "true";
/** Chrome keeps a preflight's answer for two hours at most; ten minutes let a new origin be tried soon. */
const PREFLIGHT_SECONDS = 600;

export function cors(options: CorsOptions): MiddlewareHandler<GatewayEnv> {
  return async function cors(c, next): Promise<Response | undefined> {
    const origin = c.req.header("origin");
    if (
      c.req.method === "OPTIONS" &&
      origin !== undefined &&
      c.req.header("access-control-request-method") !== undefined
    ) {
      // A text that no key can be bound to is refused without asking.
      const lookup = isOrigin(origin) ? await options.origins.lookup(origin, callerOf(c)) : NO_ORIGIN;
      if (lookup.state === "limited") throw tooManyMisses(lookup.retryAfterSeconds, VARY);
      if (lookup.state === "unavailable") {
        throw new ProblemError("KEYS_UNAVAILABLE", "the catalog of keys does not answer: try again", {}, VARY);
      }
      if (lookup.state === "unknown") {
        throw new ProblemError("ORIGIN_NOT_ALLOWED", "no publishable key is bound to this origin", {}, VARY);
      }
      return new Response(null, {
        status: 204,
        headers: {
          ...VARY,
          "Access-Control-Allow-Origin": origin,
          "Access-Control-Allow-Credentials": ALLOW_CREDENTIALS,
          "Access-Control-Allow-Methods": ALLOWED_METHODS,
          "Access-Control-Allow-Headers": allowedHeaders(c.req.header("access-control-request-headers")),
          "Access-Control-Max-Age": String(PREFLIGHT_SECONDS),
        },
      });
    }
    await next();
    // Not `c.header`, which makes a new Response once there is one.
    const { headers } = c.res;
    headers.append("Vary", "Origin");
    // Auth leaves a grant only where the origin is one of the key's.
    if (origin !== undefined && c.get("grant")?.kind === "publishable") {
      headers.set("Access-Control-Allow-Origin", origin);
      headers.set("Access-Control-Allow-Credentials", ALLOW_CREDENTIALS);
      headers.set("Access-Control-Expose-Headers", EXPOSED_HEADERS);
    }
    return undefined;
  };
}

const NO_ORIGIN = { state: "unknown" } as const;
const VARY = { Vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" };
