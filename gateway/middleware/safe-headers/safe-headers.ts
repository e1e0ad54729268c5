/**
 * Headers by which browsers and caches handle every answer with care: no guessing of types, no frames, no address passed on, and
 * nothing that a key unlocked kept by anyone (RFC 9111, 5.2.2.5).
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import { CONTENT_SECURITY_POLICY } from "../../page-style.ts";

export function safeHeaders(): MiddlewareHandler<GatewayEnv> {
  return async function safeHeaders(c, next) {
    await next();
    // Not `c.header`, which makes a new Response once there is one.
    const { headers } = c.res;
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    // For browsers that do not know the policy's `frame-ancestors`.
    headers.set("X-Frame-Options", "DENY");
    headers.set("Referrer-Policy", "no-referrer");
    // A refusal may go away with the next key or deploy.
    if (c.get("grant") !== undefined || c.res.status >= 400) headers.set("Cache-Control", "no-store");
  };
}
