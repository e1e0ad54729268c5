/**
 * Deletes the lists of ids under which something was sent again (`resends.ts`) once nobody can ask for them. A list was last written
 * when its last id was made; under that id messages are sent for as long as buffers remember it, and are then in queues for less than
 * that again. So after twice that time only what is parked can bring a copy back, and a list of which a copy is parked stays.
 */
import { listAllParked, type ParkedMessage } from "./parked-message.ts";
import { RESENDS_PREFIX, readResends } from "./resends.ts";

export interface ForgetDeps {
  readonly bucket: Pick<R2Bucket, "list" | "get" | "delete">;
  /** How long buffers remember a message's id, milliseconds. */
  readonly rememberedMs: number;
}

/** Each is read. */
const LISTS_A_RUN = 200;
/** Of a thousand each. */
const MAX_PAGES = 5;

/** One run at `now` (milliseconds since the epoch): may be cut short anywhere, and done twice at once. Throws what R2 throws. */
export async function forgetResends(
  { bucket, rememberedMs }: ForgetDeps,
  now: number,
): Promise<{ readonly forgotten: number; readonly more?: "now" }> {
  // Before the lists: what is sent on meanwhile has then made its list young, or is still among these.
  const parked = await listAllParked(bucket);
  const needed = messagesOf(parked);
  if (needed === undefined) return { forgotten: 0 };
  const forgotten: string[] = [];
  const keys = await writtenBefore(bucket, now - 2 * rememberedMs);
  // Those of what is parked are not read, so that they keep no others from their turn.
  const loose = keys.filter((key) => !needed.has(firstIdOf(nameOf(key)))).slice(0, LISTS_A_RUN);
  for (const key of loose) {
    const { ids } = await readResends(bucket, { name: nameOf(key) });
    if (!ids.some((id) => needed.has(id))) forgotten.push(key);
  }
  if (forgotten.length > 0) await bucket.delete(forgotten);
  const more = loose.length === LISTS_A_RUN && forgotten.length > 0;
  return { forgotten: forgotten.length, ...(more ? { more: "now" } : {}) };
}

/** The ids of the messages that are parked, whole or in slices; undefined if nobody can say of all. */
function messagesOf(parked: {
  readonly messages: readonly ParkedMessage[];
  readonly truncated: boolean;
}): ReadonlySet<string> | undefined {
  const ids = parked.messages.flatMap(({ contents }) => contents?.message ?? []);
  return parked.truncated || ids.length < parked.messages.length ? undefined : new Set(ids);
}

function nameOf(key: string): string {
  return key.slice(RESENDS_PREFIX.length);
}

/** Of `<message id>` or `<message id>-<shard>-<of>`, with a message id of 36 characters. */
function firstIdOf(name: string): string {
  return name.slice(0, 36);
}

async function writtenBefore(bucket: Pick<R2Bucket, "list">, time: number): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed = await bucket.list({ prefix: RESENDS_PREFIX, ...(cursor === undefined ? {} : { cursor }) });
    keys.push(...listed.objects.filter(({ uploaded }) => uploaded.getTime() < time).map(({ key }) => key));
    if (!listed.truncated) break;
    cursor = listed.cursor;
  }
  return keys;
}
