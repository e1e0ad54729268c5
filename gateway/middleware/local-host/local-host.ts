/**
 * A local platform answers local callers only. Its key is printed in the documentation, so what protects it is that nobody else
 * reaches it; but a web page can: it binds its own name to 127.0.0.1 (DNS rebinding), and the browser then takes the platform for the
 * page's own server, with no CORS in between. Such a request has the page's name in its Host.
 */
import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "../../context.ts";
import type { Environment } from "../../deps.ts";
import { ProblemError } from "../../problem.ts";

const LOCAL_HOSTS: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Throws `ProblemError` HOST_NOT_ALLOWED. Deployed, Cloudflare routes by host, and every host that comes here is ours. */
export function localHost(options: { readonly environment: Environment }): MiddlewareHandler<GatewayEnv> {
  return async function localHost(c, next) {
    if (options.environment === "local") {
      // Both: Miniflare lets a caller's header set the address that the Worker sees, but not the Host.
      for (const host of [hostOf(c.req.url), c.req.header("host")]) {
        if (host !== undefined && !isLocal(host)) {
          const detail = `this is a local platform, which answers at 127.0.0.1 and localhost, not at ${host.slice(0, 100)}`;
          throw new ProblemError("HOST_NOT_ALLOWED", detail);
        }
      }
    }
    await next();
  };
}

/** An address' host with its port, and with what stands before an `@`. Empty, which is no host, where there is none. */
function hostOf(url: string): string {
  return /^\w+:\/\/([^/\\?#]*)/.exec(url)?.[1] ?? "";
}

/** The last host that was found to be this machine's: nearly every request has the same one. */
let lastLocal: string | undefined;

/** Whether a name, with or without a port, is this machine's. */
function isLocal(host: string): boolean {
  if (host === lastLocal) return true;
  const local = LOCAL_HOSTS.has(URL.parse(`http://${host}`)?.hostname ?? "");
  if (local) lastLocal = host;
  return local;
}
