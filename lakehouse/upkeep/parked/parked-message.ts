/**
 * What could not go on, kept byte for byte in R2 with its story as metadata: messages under `parked/<queue>/<queue message id>`, and
 * slices that flushes set aside under `parked/slices/<topic>/<message id>-<shard>-<of>` (`sql/statements/parked-slices.ts`).
 */
import { decodeMessage, PackedBlockError } from "../../../schemas/packed-block.ts";

export const PARKED_PREFIX = "parked/";
/** Below the prefix, and no queue's. */
const SLICES = "slices";

export interface ParkedMessage {
  readonly key: string;
  /** `message`: as its queue delivered it. `slice`: the part of one shard, set aside by a flush. */
  readonly kind: "message" | "slice";
  /** Of a slice: `slices/<topic>`. */
  readonly queue: string;
  /** The queue's own id of the message; of a slice `<message id>-<shard>-<of>`. */
  readonly id: string;
  /** `data`: its bytes are wrong; `system`: our fault, the bytes are fine. */
  readonly cause: "data" | "system";
  readonly detail: string;
  /** Deliveries before it was parked; 0 for a slice. */
  readonly attempts: number;
  /** When it was sent to its queue, ISO 8601 UTC; empty if unknown. */
  readonly sent: string;
  /** When it was parked, or last touched by a re-drive, ISO 8601 UTC. */
  readonly touched: string;
  /** Bytes. */
  readonly size: number;
  /** Of the object, for compare-and-swap. */
  readonly etag: string;
  /** Re-drives that did not succeed. */
  readonly redrives: number;
  /** null: the bytes are no message of ours, or were parked before the metadata said. */
  readonly contents: ParkedContents | null;
}

/** What the ledger must know of a message without opening it. */
export interface ParkedContents {
  readonly topic: string;
  /** The message id. */
  readonly message: string;
  readonly events: number;
  /** ISO 8601 UTC. */
  readonly received: string;
}

/** Null for bytes that are no message of ours: nobody can say how many events they are. */
export function contentsOf(bytes: Uint8Array): ParkedContents | null {
  try {
    const { header } = decodeMessage(bytes);
    const received = new Date(Math.floor(header.received / 1_000)).toISOString();
    return { topic: header.topic, message: header.message_id, events: header.count, received };
  } catch (error) {
    if (error instanceof PackedBlockError) return null;
    throw error;
  }
}

/** The key of a message. Its queue and id are the queue's own, so that parking twice is parking once. */
export function parkedKey(queue: string, id: string): string {
  return `${PARKED_PREFIX}${queue}/${id}`;
}

type Story = Pick<ParkedMessage, "cause" | "detail" | "attempts" | "sent"> &
  Partial<Pick<ParkedMessage, "redrives" | "contents">>;

/** R2 keeps two kilobytes of metadata. */
const MAX_DETAIL = 500;

export function metadataOf(story: Story): Record<string, string> {
  const { cause, detail, attempts, sent, redrives = 0, contents = null } = story;
  return {
    ...(contents === null ? {} : { ...contents, events: String(contents.events) }),
    cause,
    detail: detail.slice(0, MAX_DETAIL),
    attempts: String(attempts),
    sent,
    ...(redrives === 0 ? {} : { redrives: String(redrives) }),
  };
}

/** An object under the prefix as a message; undefined for a key of another form. */
export function parkedOf(object: R2Object): ParkedMessage | undefined {
  const [, queue, id] = KEY.exec(object.key) ?? [];
  if (queue === undefined || id === undefined) return undefined;
  const { cause, detail, attempts, sent, redrives, topic, message, events, received } = object.customMetadata ?? {};
  const told = topic !== undefined && message !== undefined && events !== undefined && received !== undefined;
  return {
    key: object.key,
    kind: queue.startsWith(`${SLICES}/`) ? "slice" : "message",
    queue,
    id,
    cause: cause === "data" ? "data" : "system",
    detail: detail ?? "",
    attempts: Number(attempts ?? 0),
    sent: sent ?? "",
    touched: object.uploaded.toISOString(),
    size: object.size,
    etag: object.etag,
    redrives: Number(redrives ?? 0),
    contents: told ? { topic, message, events: Number(events), received } : null,
  };
}

const KEY = /^parked\/((?:slices\/)?[^/]+)\/([^/]+)$/;

export interface ParkedPage {
  readonly messages: readonly ParkedMessage[];
  /** null: there are no more. */
  readonly cursor: string | null;
}

/** A page in the order of the keys; of one queue if it is given, `slices` for all slices. Throws R2's errors. */
export async function listParked(
  bucket: Pick<R2Bucket, "list">,
  options: {
    readonly queue?: string | undefined;
    readonly cursor?: string | undefined;
    /** The key behind which the first page begins. */
    readonly after?: string | undefined;
    readonly limit: number;
  },
): Promise<ParkedPage> {
  const { queue, cursor, after, limit } = options;
  const listed = await bucket.list({
    prefix: queue === undefined ? PARKED_PREFIX : `${PARKED_PREFIX}${queue}/`,
    limit,
    include: ["customMetadata"],
    ...(cursor === undefined ? (after === undefined ? {} : { startAfter: after }) : { cursor }),
  });
  return {
    messages: listed.objects.flatMap((object) => parkedOf(object) ?? []),
    cursor: listed.truncated ? listed.cursor : null,
  };
}

/** Pages of a thousand: a list costs as much as a write. */
const MAX_PAGES = 5;

export interface ParkedList {
  readonly messages: readonly ParkedMessage[];
  /** There are more, behind the last of these. */
  readonly truncated: boolean;
}

/** What is parked behind a key, or from the first on: five thousand at most. Throws R2's errors. */
export async function listAllParked(bucket: Pick<R2Bucket, "list">, after?: string): Promise<ParkedList> {
  const messages: ParkedMessage[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed = await listParked(bucket, { cursor, after, limit: 1_000 });
    messages.push(...listed.messages);
    if (listed.cursor === null) return { messages, truncated: false };
    cursor = listed.cursor;
  }
  return { messages, truncated: true };
}

/** The queues of which a message is parked, in one call. Throws R2's errors. */
export async function parkedQueues(bucket: Pick<R2Bucket, "list">): Promise<string[]> {
  const { delimitedPrefixes } = await bucket.list({ prefix: PARKED_PREFIX, delimiter: "/" });
  return delimitedPrefixes.map((prefix) => prefix.slice(PARKED_PREFIX.length, -1)).filter((queue) => queue !== SLICES);
}
