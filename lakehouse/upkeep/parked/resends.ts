/**
 * The ids under which something was sent again: an object of its own for each origin (`resend-origin.ts`), since the same message
 * may be parked more than once. An id is written here before it is used.
 */
import type { RedriveDeps } from "./redrive-deps.ts";
import type { ResendOrigin } from "./resend-origin.ts";

export interface Resends {
  /** Oldest first. */
  readonly ids: readonly string[];
  /** Of the object, for compare-and-swap; null: there is none. */
  readonly etag: string | null;
}

export const RESENDS_PREFIX = "parked_resends/";

function keyOf({ name }: Pick<ResendOrigin, "name">): string {
  return `${RESENDS_PREFIX}${name}`;
}

export async function readResends(bucket: Pick<R2Bucket, "get">, origin: Pick<ResendOrigin, "name">): Promise<Resends> {
  const object = await bucket.get(keyOf(origin));
  if (object === null) return { ids: [], etag: null };
  return { ids: (await object.text()).split("\n"), etag: object.etag };
}

/** The id to send under: the last one while buffers remember it, else a new one; undefined if another try is ahead. */
export async function resendId(
  deps: Pick<RedriveDeps, "bucket" | "remembers" | "newMessageId">,
  origin: Pick<ResendOrigin, "name">,
  known: Resends,
): Promise<string | undefined> {
  const last = known.ids.at(-1);
  if (last !== undefined && deps.remembers(last)) return last;
  const fresh = deps.newMessageId();
  const text = [...known.ids, fresh].join("\n");
  const onlyIf = known.etag === null ? { etagDoesNotMatch: "*" } : { etagMatches: known.etag };
  // Of two tries one wins; the other meets its id later.
  return (await deps.bucket.put(keyOf(origin), text, { onlyIf })) === null ? undefined : fresh;
}
