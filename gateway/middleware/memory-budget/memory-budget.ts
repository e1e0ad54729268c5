/**
 * Lets requests share an isolate's memory (128 MB on Cloudflare, whatever runs in it): each claims what it holds, and gives it back
 * when it is answered. Past the budget a request is refused: 503 with `Retry-After` where another moment would do, else 413.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import { ProblemError } from "../../problem.ts";
import type { ByteBudget } from "./byte-budget.ts";

/** Requests are short: what is held is mostly free again by then. */
const RETRY_AFTER = "2";

export function memoryBudget(budget: ByteBudget): MiddlewareHandler<GatewayEnv> {
  return async function memoryBudget(c, next) {
    const lease = budget.open();
    const parts = { ...NOTHING };
    c.set("claimMemory", (part, bytes) => {
      parts[part] = bytes;
      const outcome = lease.need(Math.max(parts.reserved, parts.body + parts.events + parts.answer));
      if (outcome === "granted") return;
      // Whoever is refused drops what it held, and may take long to read the rest of a body for the sake of the answer.
      lease.close();
      Object.assign(parts, NOTHING);
      throw outcome === "busy" ? overloaded() : tooLarge();
    });
    try {
      await next();
    } finally {
      lease.close();
    }
  };
}

const NOTHING = { reserved: 0, body: 0, events: 0, answer: 0 };

function overloaded(): ProblemError {
  const detail = "other requests hold the memory that this one needs: nothing of it is stored, send it again";
  return new ProblemError("OVERLOADED", detail, {}, { "retry-after": RETRY_AFTER });
}

function tooLarge(): ProblemError {
  const detail =
    "the body and what its events and verdicts come to need more memory than one request may take: nothing of it is stored, split the events over several requests";
  return new ProblemError("BODY_TOO_LARGE", detail);
}
