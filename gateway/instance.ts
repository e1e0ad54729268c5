/**
 * Who this gateway isolate is: a random id and a running number per topic, both in every message header, so that a gap shows
 * a suspected loss (PROTOCOLS 3). Module state on purpose: it must live as long as the isolate and no longer. A number is
 * used once, also when its send fails: the failed message may have landed all the same. The id is made at the first message,
 * because workerd allows no randomness in the global scope.
 */
let id: string | undefined;
const sequences = new Map<string, number>();

export function instanceId(uuidv7: () => string): string {
  id ??= uuidv7();
  return id;
}

/** The next number of a topic, from 1. */
export function nextSequence(topic: string): number {
  const next = (sequences.get(topic) ?? 0) + 1;
  sequences.set(topic, next);
  return next;
}
