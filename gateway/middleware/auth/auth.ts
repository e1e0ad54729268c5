/**
 * Who calls: `Authorization: Bearer KEY`, or `?k=KEY` with a publishable key (`navigator.sendBeacon` sends no headers). What
 * the key allows on a topic is asked by the routes; that a publishable key writes events from its own origins, and does
 * nothing else, is asked here.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayContext, GatewayEnv } from "../../context.ts";
import type { Environment } from "../../deps.ts";
import { environmentOfKey, PUBLISHABLE_PREFIX } from "../../keys/key-text.ts";
import { ProblemError } from "../../problem.ts";
import { sha256Hex } from "../../sha256.ts";
import type { KeyGrant } from "./grant.ts";
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
const EVENTS_PATH = /^\/v1\/topics\/[^/]+\/events$/;

export function auth(options: AuthOptions): MiddlewareHandler<GatewayEnv> {
  return async function auth(c, next) {
    const { key, inAddress } = credentialOf(c);
    refuseForeign(key, options.environment);
    const lookup = await options.keys.lookup(await sha256Hex(key), (query) => keepAlive(c, query));
    if (lookup.state === "unavailable") {
      const detail = "the catalog of keys does not answer and this key was not seen lately: try again";
      throw new ProblemError("KEYS_UNAVAILABLE", detail, {}, {}, { cause: lookup.cause });
    }
    if (lookup.state === "unknown") throw unauthenticated("the key is unknown or was revoked");
    const { grant } = lookup;
    if (grant.expiresAt !== null && grant.expiresAt <= options.now()) throw unauthenticated("the key has expired");
    if (inAddress && grant.kind !== "publishable") throw secretInAddress();
    c.get("wideEvent").producer = grant.producer;
    c.get("wideEvent").key_id = grant.keyId;
    if (grant.kind === "publishable") confine(c, grant);
    c.set("grant", grant);
    c.set("keyInAddress", inAddress);
    await next();
  };
}

function credentialOf(c: GatewayContext): { readonly key: string; readonly inAddress: boolean } {
  const header = c.req.header("authorization");
  const inAddress = c.req.query("k");
  if (header === undefined && inAddress !== undefined) {
    // Addresses end up in histories and logs of others: a secret key is refused before anything is asked of it.
    if (!inAddress.startsWith(PUBLISHABLE_PREFIX)) throw secretInAddress();
    return { key: inAddress, inAddress: true };
  }
  const key = BEARER.exec(header ?? "")?.[1];
  if (key === undefined) throw unauthenticated("send the header Authorization: Bearer KEY");
  return { key, inAddress: false };
}

function refuseForeign(key: string, environment: Environment): void {
  if (key === LOCAL_KEY && environment !== "local") throw unauthenticated(`${LOCAL_KEY} is for local platforms only`);
  const home = environmentOfKey(key);
  if (home !== undefined && home !== environment) {
    throw unauthenticated(`this is a key for ${home}, and here is ${environment}`);
  }
}

function confine(c: GatewayContext, grant: KeyGrant): void {
  if (c.req.method !== "POST" || !EVENTS_PATH.test(c.req.path)) {
    throw new ProblemError("FORBIDDEN", "a publishable key writes events and does nothing else");
  }
  const origin = c.req.header("origin");
  if (origin !== undefined && grant.origins.has(origin)) return;
  const got = origin === undefined ? "the request has no Origin" : `the request comes from ${origin.slice(0, 200)}`;
  throw new ProblemError("ORIGIN_NOT_ALLOWED", `the key is bound to other origins; ${got}`);
}

function unauthenticated(detail: string): ProblemError {
  return new ProblemError("UNAUTHENTICATED", detail, {}, { "WWW-Authenticate": "Bearer" });
}

function secretInAddress(): ProblemError {
  return unauthenticated("?k= takes publishable keys only: send a secret key in the header Authorization: Bearer KEY");
}

/** Lets a query that others may wait for outlive the request that began it. */
export function keepAlive(c: GatewayContext, query: Promise<unknown>): void {
  try {
    c.executionCtx.waitUntil(query);
  } catch {
    // Outside of a Worker there is no execution context, and nothing that would end the query early.
  }
}
