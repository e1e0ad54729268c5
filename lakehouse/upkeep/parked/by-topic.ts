/** Messages that stand parked in the lake, counted by topic and cause. Slices are events of the ledger's hours, and none of these. */
import { listAllParked, type ParkedMessage } from "./parked-message.ts";

export interface ParkedGroup {
  /** null: bytes that are no message of ours, or parked before the metadata said. */
  readonly topic: string | null;
  readonly cause: ParkedMessage["cause"];
  readonly messages: number;
  /** As the messages say; a message of which some shard had its part already counts whole. Null where nobody can say. */
  readonly events: number | null;
  /** Of the oldest reception or, where that is unknown, sending; ISO 8601 UTC. Null where neither is known. */
  readonly oldest: string | null;
}

export interface ParkedByTopic {
  readonly groups: readonly ParkedGroup[];
  /** There are more than were listed. */
  readonly truncated: boolean;
}

/** Throws what R2 throws. */
export async function parkedByTopic(bucket: Pick<R2Bucket, "list">): Promise<ParkedByTopic> {
  const { messages: all, truncated } = await listAllParked(bucket);
  const messages = all.filter(({ kind }) => kind === "message");
  const groups = Map.groupBy(messages, ({ contents, cause }) => `${contents?.topic ?? ""} ${cause}`);
  return { groups: [...groups.values()].flatMap(groupOf), truncated };
}

function groupOf(messages: readonly ParkedMessage[]): readonly ParkedGroup[] {
  const [first] = messages;
  if (first === undefined) return [];
  const known = messages.flatMap(({ contents }) => contents ?? []);
  const times = messages.map(({ contents, sent }) => contents?.received ?? sent).filter((time) => time !== "");
  return [
    {
      topic: first.contents?.topic ?? null,
      cause: first.cause,
      messages: messages.length,
      events: first.contents === null ? null : known.reduce((sum, { events }) => sum + events, 0),
      oldest: times.sort()[0] ?? null,
    },
  ];
}
