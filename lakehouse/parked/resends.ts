/**
 * The ids under which a message that no buffer remembers was sent again: an object of its own for each message id, since the same
 * message may be parked more than once. An id is written here before it is used.
 */

export interface Resends {
  /** Oldest first. */
  readonly ids: readonly string[];
  /** Of the object, for compare-and-swap; null: there is none. */
  readonly etag: string | null;
}

function keyOf(messageId: string): string {
  return `parked_resends/${messageId}`;
}

export async function readResends(bucket: Pick<R2Bucket, "get">, messageId: string): Promise<Resends> {
  const object = await bucket.get(keyOf(messageId));
  if (object === null) return { ids: [], etag: null };
  return { ids: (await object.text()).split("\n"), etag: object.etag };
}

/** Adds an id, if nobody else has added one since `known` was read: of two tries one wins, and the other meets its id later. */
export async function addResend(
  bucket: Pick<R2Bucket, "put">,
  messageId: string,
  known: Resends,
  resendId: string,
): Promise<boolean> {
  const text = [...known.ids, resendId].join("\n");
  const onlyIf = known.etag === null ? { etagDoesNotMatch: "*" } : { etagMatches: known.etag };
  return (await bucket.put(keyOf(messageId), text, { onlyIf })) !== null;
}
