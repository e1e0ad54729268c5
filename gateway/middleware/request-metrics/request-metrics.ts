/** Counts each request by the route that matched. Counting it cannot fail a request. */
import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { GatewayContext, GatewayEnv } from "../../context.ts";
import type { RequestCounts } from "../../metrics/request-counts.ts";

export interface RequestMetricsOptions {
  readonly counts: RequestCounts;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function requestMetrics(options: RequestMetricsOptions): MiddlewareHandler<GatewayEnv> {
  return async function requestMetrics(c, next) {
    const started = options.now();
    let status = 500;
    try {
      await next();
      status = c.res.status;
    } finally {
      options.counts.observe(c.req.method, routeOf(c), status, Math.max(0, options.now() - started) / 1_000);
    }
  };
}

/** The pattern of the route, which is what has no star; middleware has one. */
function routeOf(c: GatewayContext): string {
  return matchedRoutes(c).find(({ path }) => !path.includes("*"))?.path ?? "other";
}
