/** What stands parked in the lake, by the metadata of its objects (`queue-consumers/parking.ts`): the term `parked` of the ledger. */

export interface ParkedMessages {
  /** null: bytes that are no message of ours, or parked before the metadata said. */
  readonly topic: string | null;
  readonly cause: string;
  readonly messages: number;
  /** As the messages say; a message of which some shard had its part already counts whole. Null where nobody can say. */
  readonly events: number | null;
  /** Of the oldest reception or, where that is unknown, sending; ISO 8601 UTC. */
  readonly oldest: string | null;
}

export interface Parked {
  readonly groups: readonly ParkedMessages[];
  /** There are more than were listed. */
  readonly truncated: boolean;
}

/** Pages of a thousand: a list costs as much as a write. */
const MAX_PAGES = 5;

/** Lists what is parked, by topic and cause. Throws what R2 throws. */
export async function listParked(bucket: Pick<R2Bucket, "list">): Promise<Parked> {
  const groups = new Map<string, ParkedMessages>();
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed = await bucket.list({
      prefix: "parked/",
      include: ["customMetadata"],
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { customMetadata = {} } of listed.objects) {
      const { topic = null, cause = "unknown", events, received, sent = null } = customMetadata;
      const key = `${topic} ${cause}`;
      const group = groups.get(key) ?? { topic, cause, messages: 0, events: topic === null ? null : 0, oldest: null };
      const at = received ?? sent;
      groups.set(key, {
        ...group,
        messages: group.messages + 1,
        events: group.events === null || events === undefined ? null : group.events + Number(events),
        oldest: group.oldest === null || (at !== null && at < group.oldest) ? at : group.oldest,
      });
    }
    if (!listed.truncated) return { groups: [...groups.values()], truncated: false };
    cursor = listed.cursor;
  }
  return { groups: [...groups.values()], truncated: true };
}
