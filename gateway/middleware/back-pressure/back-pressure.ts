/** Refuses events of a topic whose buffers are far behind, before anything of them is read: 503 until there is room. */
import type { MiddlewareHandler } from "hono";
import type { BackPressureRow } from "../../../sql/statements/back-pressure.ts";
import type { GatewayEnv } from "../../context.ts";
import { ProblemError, RETRY_AFTER_SECONDS } from "../../problem.ts";
import { keepAlive } from "../auth/caller.ts";

/** Every isolate that has requests asks this often, beside them: none waits for it (PROTOCOLS 1). */
const REFRESH_MS = 5_000;
/** A topic is mostly let go before its row runs out: who waits longer than this would come too late. */
const LONGEST_WAIT_SECONDS = 30;

export interface BackPressureOptions {
  /** The topics that are held off at this time (ISO 8601). */
  readonly load: (now: string) => Promise<readonly BackPressureRow[]>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * For a path with `:topic`. What was read last counts, also while the database is down; before the first answer and after a
 * row's `until` nothing is refused, since the queues keep what the buffers do not take. A dry run stores nothing and passes.
 */
export function backPressure({ load, now }: BackPressureOptions): MiddlewareHandler<GatewayEnv> {
  let held: ReadonlyMap<string, BackPressureRow> = new Map();
  let askedAt = Number.NEGATIVE_INFINITY;

  async function refresh(): Promise<void> {
    try {
      const rows = await load(new Date(now()).toISOString());
      held = new Map(rows.map((row) => [row.topic, row]));
    } catch {
      // The last known state is kept; the next request after five seconds asks again.
    }
  }

  return async function backPressure(c, next) {
    if (now() - askedAt >= REFRESH_MS) {
      askedAt = now();
      keepAlive(c, refresh());
    }
    const row = held.get(c.req.param("topic") ?? "");
    const seconds = row === undefined ? 0 : Math.ceil((Date.parse(row.until) - now()) / 1_000);
    if (row !== undefined && seconds > 0 && c.req.query("dry_run") !== "true") {
      throw new ProblemError(
        "BACK_PRESSURE",
        `${row.topic} takes no events for now: ${row.reason}. Nothing of this request is stored`,
        {},
        { "retry-after": String(Math.min(LONGEST_WAIT_SECONDS, Math.max(RETRY_AFTER_SECONDS, seconds))) },
      );
    }
    await next();
  };
}
