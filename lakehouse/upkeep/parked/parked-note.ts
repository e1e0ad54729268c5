/**
 * Whether messages are parked, without a list: the cron asks each minute, a list costs as much as a write, and nearly always there is
 * nothing. An object says what is known:
 *
 *     absent, `something` --a tick lists nothing--> `looking` --a later tick lists nothing--> `nothing`: no tick lists any more
 *
 * Who parks a message turns `looking` and `nothing` to `something` behind its put. A message that is put before the second list is
 * seen by it; of one that comes behind, the turn either comes first, and `nothing` is not written over it, or follows.
 */
type Bucket = Pick<R2Bucket, "head" | "put">;

export const PARKED_NOTE = "parked_note";
const SAYS = "says";

/** Says that something is parked. To be called behind the put of a message. Throws what R2 throws. */
export async function noteParked(bucket: Bucket): Promise<void> {
  if (!mayBeTurned(await bucket.head(PARKED_NOTE))) return;
  try {
    await bucket.put(PARKED_NOTE, "", { customMetadata: { [SAYS]: "something" } });
  } catch (error) {
    // R2 takes one write a second of an object: another one may have said it.
    if (mayBeTurned(await bucket.head(PARKED_NOTE))) throw error;
  }
}

function mayBeTurned(note: R2Object | null): boolean {
  const says = note?.customMetadata?.[SAYS];
  return says === "looking" || says === "nothing";
}

/** What `list` gives, which is not called while it is known to give nothing. Throws what R2 throws. */
export async function unlessNothingParked<T>(bucket: Bucket, list: () => Promise<readonly T[]>): Promise<readonly T[]> {
  const note = await bucket.head(PARKED_NOTE);
  const says = note?.customMetadata?.[SAYS];
  if (says === "nothing") return [];
  const found = await list();
  if (found.length === 0) {
    const onlyIf = note === null ? { etagDoesNotMatch: "*" } : { etagMatches: note.etag };
    const customMetadata = { [SAYS]: says === "looking" ? "nothing" : "looking" };
    await bucket.put(PARKED_NOTE, "", { onlyIf, customMetadata });
  } else if (says === "looking") await noteParked(bucket);
  return found;
}
