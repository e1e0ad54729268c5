/**
 * Lets HTTP Basic (RFC 7617) stand for Bearer, for clients that know nothing else: the password is the key, the user name is
 * not looked at; without a password the user name is the key. Stands before `auth`.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";

const BASIC = /^Basic +([A-Za-z0-9+/]+=*) *$/i;

export function basicCredentials(): MiddlewareHandler<GatewayEnv> {
  return async function basicCredentials(c, next) {
    const encoded = BASIC.exec(c.req.header("authorization") ?? "")?.[1];
    if (encoded !== undefined) {
      const credentials = Buffer.from(encoded, "base64").toString("utf8");
      const colon = credentials.indexOf(":");
      const key = credentials.slice(colon + 1) || credentials.slice(0, Math.max(0, colon));
      const headers = new Headers(c.req.raw.headers);
      // A key has only visible ASCII; anything else could not even stand in a header.
      headers.set("authorization", /^[!-~]+$/.test(key) ? `Bearer ${key}` : "");
      c.req.raw = new Request(c.req.raw, { headers });
    }
    await next();
  };
}
