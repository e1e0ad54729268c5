/**
 * Limits per key. Requests: the platform's counter, per location and approximate. Events: where the key has a limit of its
 * own, a bucket of this isolate, which the routes that cost spend (`spending.ts`). When the counter fails requests pass: a limit
 * protects the platform, and is no reason to refuse good events.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import type { Environment, RateLimiter } from "../../deps.ts";
import { ProblemError } from "../../problem.ts";
import { createEventBudget } from "./event-budget.ts";
import { createSpending, type KeyBudget, NO_LIMIT } from "./spending.ts";

/** The period of the platform's counter in wrangler.toml: by then a count begins anew. */
const REQUEST_PERIOD_SECONDS = 10;
/** The producer of the local key, which load tests use. */
const LOCAL_PRODUCER = "local";

export interface RateLimitOptions {
  readonly limiter: RateLimiter;
  readonly environment: Environment;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Behind auth. Throws the problem RATE_LIMITED with `Retry-After`. */
export function rateLimit(options: RateLimitOptions): MiddlewareHandler<GatewayEnv> {
  const budget = createEventBudget();
  return async function rateLimit(c, next) {
    const { keyId, producer, eventsPerMinute } = c.get("grant");
    const unlimited = options.environment === "local" && producer === LOCAL_PRODUCER;
    if (!unlimited && !(await passes(options.limiter, keyId))) {
      throw limited("this key sent too many requests in a short time", REQUEST_PERIOD_SECONDS);
    }
    const events = eventsPerMinute === null ? NO_LIMIT : budgetOf(keyId, eventsPerMinute);
    c.set("spending", createSpending(events));
    await next();
  };

  function budgetOf(keyId: string, perMinute: number): KeyBudget {
    return {
      demand() {
        const ms = budget.wait(keyId, perMinute, options.now());
        if (ms > 0) throw limited(`this key may send ${perMinute} events a minute`, Math.ceil(ms / 1_000));
      },
      take: (events) => budget.take(keyId, events, perMinute, options.now()),
    };
  }
}

async function passes(limiter: RateLimiter, keyId: string): Promise<boolean> {
  try {
    return await limiter.take(keyId);
  } catch {
    return true;
  }
}

function limited(detail: string, seconds: number): ProblemError {
  return new ProblemError(
    "RATE_LIMITED",
    `${detail}: nothing is stored, send it again after ${seconds} s`,
    {},
    {
      "Retry-After": String(seconds),
    },
  );
}
