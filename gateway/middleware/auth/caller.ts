/** What is known of a request before its key is. */
import type { GatewayContext } from "../../context.ts";

export interface Caller {
  /** Where it comes from: an IPv4 address, or the first 64 bits of an IPv6 one, which one household or server has. */
  readonly network: string;
  /** Lets a query that others may wait for outlive the request that began it. */
  keepAlive(query: Promise<unknown>): void;
}

export function callerOf(c: GatewayContext): Caller {
  return {
    // Cloudflare sets the header, and callers cannot (PLATFORM). Without it all share one limit.
    network: networkOf(c.req.header("cf-connecting-ip") ?? ""),
    keepAlive: (query) => keepAlive(c, query),
  };
}

/** The network of an address in its text form (RFC 4291, 2.2); any other text is its own network. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address.slice(0, 45);
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const behind = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - behind.length);
  const all = [...groups, ...new Array<string>(missing).fill("0"), ...behind];
  return all
    .slice(0, 4)
    .map((group) => group.slice(0, 4).replace(/^0+(?=.)/, ""))
    .join(":");
}

/** Lets a query that others may wait for outlive the request that began it. */
export function keepAlive(c: GatewayContext, query: Promise<unknown>): void {
  try {
    c.executionCtx.waitUntil(query);
  } catch {
    // Outside of a Worker there is no execution context, and nothing that would end the query early.
  }
}
