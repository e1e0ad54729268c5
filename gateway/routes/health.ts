/** `GET /healthz`: this isolate runs. `GET /readyz`: what it depends on answers too. */
import { pingCatalog } from "../../sql/statements/published.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { sentMessages } from "../in-flight.ts";
import { ProblemError } from "../problem.ts";

export function healthz(deps: GatewayDeps): (c: GatewayContext) => Response {
  return function healthz(c) {
    return c.json({
      status: "ok",
      environment: deps.environment,
      messages: { sent: sentMessages(), acknowledged: deps.acknowledgedMessages() },
    });
  };
}

export function readyz(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function readyz(c) {
    try {
      await pingCatalog(deps.db);
    } catch (cause) {
      throw new ProblemError("CATALOG_UNAVAILABLE", "the catalog (D1) does not answer", {}, {}, { cause });
    }
    return c.json({ status: "ready", environment: deps.environment });
  };
}
