/** `GET /healthz`: this isolate runs. `GET /readyz`: what it depends on answers too. */
import { pingCatalog } from "../../sql/statements/published.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { sentMessages } from "../in-flight.ts";
import { keepAlive } from "../middleware/auth/caller.ts";
import { ProblemError } from "../problem.ts";

/** Both addresses are open: everybody may ask, so the catalog is asked this often at most, whatever it answered. */
const READY_MS = 5_000;

export function healthz(deps: GatewayDeps): (c: GatewayContext) => Response {
  return function healthz(c) {
    const { environment } = deps;
    // A local drain waits by these; on Cloudflare, where isolates come and go, they would only tell strangers of the traffic.
    const messages = { sent: sentMessages(), acknowledged: deps.acknowledgedMessages() };
    return c.json({ status: "ok", environment, ...(environment === "local" ? { messages } : {}) });
  };
}

export function readyz(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  let asked: { readonly at: number; readonly ready: Promise<void> } | undefined;

  return async function readyz(c) {
    const now = deps.clock.now();
    if (asked === undefined || now - asked.at >= READY_MS) {
      asked = { at: now, ready: pingCatalog(deps.db) };
      keepAlive(
        c,
        asked.ready.catch(() => undefined),
      );
    }
    try {
      await asked.ready;
    } catch (cause) {
      throw new ProblemError("CATALOG_UNAVAILABLE", "the catalog (D1) does not answer", {}, {}, { cause });
    }
    return c.json({ status: "ready", environment: deps.environment });
  };
}
