/** Which consumer a queue belongs to, by its name: `sluice-<environment>-<topic>[-dlq]` or `sluice-<environment>-builds[-dlq]`. */

export type QueueRoute =
  | { readonly kind: "topic"; readonly topic: string }
  | { readonly kind: "builds" }
  /** A dead-letter queue of the platform: what another queue gave up on. */
  | { readonly kind: "exhausted" };

/** Throws when the name is not of this environment: a consumer bound to another's queue must not touch its messages. */
export function routeQueue(queue: string, environment: string): QueueRoute {
  const prefix = `sluice-${environment}-`;
  if (!queue.startsWith(prefix)) throw new Error(`queue ${queue} is not one of environment ${environment}`);
  const name = queue.slice(prefix.length);
  if (name.endsWith("-dlq")) return { kind: "exhausted" };
  if (name === "builds") return { kind: "builds" };
  return { kind: "topic", topic: name.replaceAll("-", "_") };
}
