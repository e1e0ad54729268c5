/**
 * Which methods an address takes: for the answer to any other. Apart from the router of requests, since routes for all methods
 * beside those of one would make a path ambiguous (`/dead-letters/:dlq_id` and `/dead-letters/replay`), and Hono's fast router
 * takes no ambiguous paths.
 */
import { TrieRouter } from "hono/router/trie-router";

/** `routes`: methods and paths as Hono has them. What is returned gives the methods of an address, none where nothing is. */
export function createMethodFinder(
  routes: readonly (readonly [method: string, path: string, ...rest: unknown[]])[],
): (path: string) => string[] {
  const methods = new TrieRouter<string>();
  for (const [method, path] of routes) methods.add("ALL", path, method);
  return (path) => [...new Set(methods.match("ALL", path)[0].map(([method]) => method))];
}
