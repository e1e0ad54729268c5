/**
 * One line of JSON per request, filled on the way and written at its end, whatever happened. Counts, names and times only:
 * never a payload, never a key. Writing it cannot fail a request.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";

/** What a request says of itself; each part is set by the step that knows it. */
export interface WideEvent {
  topic?: string;
  producer?: string;
  /** The key's public id. */
  key_id?: string;
  bytes?: number;
  events?: number;
  accepted?: number;
  rejected?: number;
  retry?: number;
  messages?: number;
  dry_run?: boolean;
  /** Only with an Idempotency-Key: whether the answer is an earlier one. */
  replayed?: boolean;
  /** The code of a request that was refused as a whole. */
  problem?: string;
  /** The message and cause of a failure of ours. */
  failure?: string;
}

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
