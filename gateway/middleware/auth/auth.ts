/**
 * Who calls: `Authorization: Bearer KEY`, or `?k=KEY` with a publishable key (`navigator.sendBeacon` sends no headers). What
 * the key allows is asked behind it (`access/guard.ts`); that a publishable key comes from its own origins is asked here.
 */
import type { MiddlewareHandler } from "hono";
import type { KeyGrant } from "../../access/grant.ts";
import type { GatewayContext, GatewayEnv } from "../../context.ts";
import type { Environment } from "../../deps.ts";
import { environmentOfKey, PUBLISHABLE_PREFIX } from "../../keys/key-text.ts";
import { ProblemError } from "../../problem.ts";
import { sha256Hex } from "../../sha256.ts";
import { callerOf } from "./caller.ts";
import type { LookupCache } from "./lookup-cache.ts";
import { tooManyMisses } from "./miss-limit.ts";

/** Printed in the documentation, so a deployed Worker refuses it, whatever its database holds (DESIGN 4). */
export const LOCAL_KEY = "local-dev-key";

export interface AuthOptions {
  readonly keys: LookupCache<KeyGrant>;
  readonly environment: Environment;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const BEARER = /^Bearer +([^ ]+) *$/i;

/** Keys whose hashes are kept: the same ones come again and again, and each hash takes 0.04 ms of a request's CPU in workerd. */
const MAX_HASHES = 1_000;

export function auth(options: AuthOptions): MiddlewareHandler<GatewayEnv> {
  /** Only of keys that the catalog has, so that guesses take no room. */
  const hashes = new Map<string, string>();
  return async function auth(c, next) {
    const { key, inAddress } = credentialOf(c);
    refuseForeign(key, options.environment);
    const keyHash = hashes.get(key) ?? sha256Hex(key);
    const lookup = await options.keys.lookup(keyHash, callerOf(c));
    switch (lookup.state) {
      case "unavailable": {
        const detail = "the catalog of keys does not answer and this key was not seen lately: try again";
        throw new ProblemError("KEYS_UNAVAILABLE", detail, {}, {}, { cause: lookup.cause });
      }
      case "limited":
        throw tooManyMisses(lookup.retryAfterSeconds);
      case "unknown":
        throw unauthenticated("the key is unknown or was revoked");
    }
    if (hashes.size >= MAX_HASHES) hashes.clear();
    hashes.set(key, keyHash);
    const grant = lookup.value;
    if (grant.expiresAt !== null && grant.expiresAt <= options.now()) throw unauthenticated("the key has expired");
    if (inAddress && grant.kind !== "publishable") throw secretInAddress();
    c.get("wideEvent").producer = grant.producer;
    c.get("wideEvent").key_id = grant.keyId;
    if (grant.kind === "publishable") demandOrigin(c, grant);
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

/** Refuses by the text alone, without asking the database, what cannot be a key of this environment. */
function refuseForeign(key: string, environment: Environment): void {
  if (key === LOCAL_KEY) {
    if (environment === "local") return;
    throw unauthenticated(`${LOCAL_KEY} is for local platforms only`);
  }
  const home = environmentOfKey(key);
  if (home === undefined) {
    throw unauthenticated("this is no key: a key is sk_ or pk_, its environment, _ and 43 letters, digits, - or _");
  }
  if (home !== environment) throw unauthenticated(`this is a key for ${home}, and here is ${environment}`);
}

function demandOrigin(c: GatewayContext, grant: KeyGrant): void {
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
