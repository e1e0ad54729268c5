/**
 * One line of JSON per request, filled on the way and written at its end, whatever happened. Counts, names and times only:
 * never a payload, never a key. Writing it cannot fail a request.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import type { WideEvent } from "./event.ts";

export interface WideEventOptions {
  readonly log: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function wideEvent(options: WideEventOptions): MiddlewareHandler<GatewayEnv> {
  return async function wideEvent(c, next) {
    const started = options.now();
    const event: WideEvent = {};
    c.set("wideEvent", event);
    let status = 500;
    try {
      await next();
      status = c.res.status;
    } finally {
      try {
        const { method, path } = c.req;
        const line = {
          event: "request",
          time: new Date(started).toISOString(),
          request_id: c.get("requestId"),
          method,
          path: path.slice(0, 200),
          status,
          ms: options.now() - started,
          ...event,
        };
        options.log(JSON.stringify(line));
      } catch {
        // Telemetry cannot fail a request, and there is nowhere left to say so.
      }
    }
  };
}
