/** Looks for an event in what is parked: messages that no buffer took, and slices that flushes set aside. */
import type { Contract } from "../../../contracts/contract.ts";
import { decodeMessage, encodeFrame, type Frame, PackedBlockError, readFrames } from "../../../schemas/packed-block.ts";
import { formatTimestamp } from "../../../schemas/time.ts";
import { waitingSlices } from "../../../sql/statements/parked-slices.ts";
import { listAllParked, type ParkedMessage, parkedOf } from "../../upkeep/parked/parked-message.ts";
import { indexesOf } from "./frame-events.ts";
import { idField, shardsOfId } from "./where-to-look.ts";

/** An event that is parked with its message or its slice. */
export interface ParkedEvent {
  /** As `sluice parked` names it. */
  readonly parked_id: string;
  readonly kind: ParkedMessage["kind"];
  readonly topic: string;
  readonly message_id: string;
  /** null: this deploy cannot decode the bytes, in which the id stands. */
  readonly event_index: number | null;
  readonly received: string;
  readonly parked_since: string;
  readonly cause: ParkedMessage["cause"];
  readonly detail: string;
}

export interface ParkedSearchDeps {
  readonly db: D1Database;
  readonly bucket: Pick<R2Bucket, "get" | "list">;
}

/** Objects that one answer reads, of some 60 KB each; the newest first. */
const MAX_OBJECTS = 100;
/** More copies than this nobody needs to see. */
const MAX_FOUND = 100;

/** The events of these topics that have the id and are parked. Costs a list call, a query, and a read for each object. Throws what D1 and R2 throw. */
export async function searchParked(
  { db, bucket }: ParkedSearchDeps,
  contracts: readonly Contract[],
  eventId: string,
): Promise<ParkedEvent[]> {
  const byTopic = new Map(contracts.map((contract) => [contract.topic, contract]));
  const shards = contracts.map((contract) => ({ topic: contract.topic, shards: shardsOfId(contract, eventId) }));
  const slices = await waitingSlices(db, shards, MAX_OBJECTS);
  const messages = (await listAllParked(bucket)).messages
    .filter(({ kind, contents }) => kind === "message" && byTopic.has(contents?.topic ?? ""))
    .sort((a, b) => (a.touched > b.touched ? -1 : 1));
  const found: ParkedEvent[] = [];
  for (const key of [...slices, ...messages.map((each) => each.key)].slice(0, MAX_OBJECTS)) {
    const object = await bucket.get(key);
    const parked = object === null ? undefined : parkedOf(object);
    // It was sent on meanwhile.
    if (object === null || parked === undefined) continue;
    for (const frame of framesOf(parked, new Uint8Array(await object.arrayBuffer()))) {
      const contract = byTopic.get(frame.header.topic);
      if (contract === undefined) continue;
      found.push(...eventsOf(parked, frame, contract, eventId));
      if (found.length >= MAX_FOUND) return found.slice(0, MAX_FOUND);
    }
  }
  return found;
}

/** None of bytes that are no message or frame: nobody can tell what is in them. */
function framesOf({ kind }: ParkedMessage, bytes: Uint8Array): readonly Frame[] {
  try {
    if (kind === "slice") return [...readFrames(bytes)];
    const message = decodeMessage(bytes);
    return message.header.slices.flatMap((_, number) => [...readFrames(encodeFrame(message, number))]);
  } catch (error) {
    if (error instanceof PackedBlockError) return [];
    throw error;
  }
}

function eventsOf(parked: ParkedMessage, frame: Frame, contract: Contract, eventId: string): ParkedEvent[] {
  const { header } = frame;
  return indexesOf(contract, frame, idField(contract), eventId).map((index) => ({
    parked_id: `${parked.queue}/${parked.id}`,
    kind: parked.kind,
    topic: header.topic,
    message_id: header.message_id,
    event_index: index,
    received: formatTimestamp(header.received),
    parked_since: parked.touched,
    cause: parked.cause,
    detail: parked.detail,
  }));
}
