/** Gives every request an id of ours and says it in `X-Request-Id`. */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";

export interface RequestIdOptions {
  readonly uuidv7: () => string;
}

export function requestId(options: RequestIdOptions): MiddlewareHandler<GatewayEnv> {
  return async function requestId(c, next) {
    const id = options.uuidv7();
    c.set("requestId", id);
    await next();
    // Not `c.header`, which makes a new Response once there is one.
    c.res.headers.set("X-Request-Id", id);
  };
}
