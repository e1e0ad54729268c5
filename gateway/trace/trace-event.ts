/** The way of one event: buffer, bronze, silver, gold, or what is parked, or the dead letters. No place has a row per event: files are looked through. */
import type { Contract } from "../../contracts/contract.ts";
import type { BufferedEvent } from "../../durable-objects/stubs.ts";
import { COLUMNS_WITHOUT_PAYLOAD, DEAD_LETTERS_TOPIC } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import {
  copyColumns,
  copyOf,
  type DeadLetter,
  type EventCopy,
  refusalOf,
} from "../../lakehouse/lookups/trace/event-copy.ts";
import type { SearchCost } from "../../lakehouse/lookups/trace/find-rows.ts";
import {
  type GoldTrace,
  type SilverState,
  type SilverTrace,
  tracePublished,
} from "../../lakehouse/lookups/trace/published.ts";
import {
  type SearchPosition,
  searchBronze,
  type TraceDeps,
  type TraceSource,
} from "../../lakehouse/lookups/trace/search-bronze.ts";
import { type ParkedEvent, searchParked } from "../../lakehouse/lookups/trace/search-parked.ts";
import { idField, nextDate, shardsOfId, timesToSearch } from "../../lakehouse/lookups/trace/where-to-look.ts";
import { shardsOf } from "../../sql/statements/trace.ts";
import type { GatewayDeps } from "../deps.ts";

export interface TraceRequest {
  readonly eventId: string;
  /** Whose topics are looked through. */
  readonly contracts: readonly Contract[];
  /** A partition date, or null: the days that the id or the default says. */
  readonly date: string | null;
  readonly start: SearchPosition;
  readonly now: number;
  readonly maxFiles: number;
}

export interface TracedEvent {
  /** The farthest that a copy came; null when nothing was found yet. */
  readonly state: "silver" | "bronze" | "buffered" | "parked" | "rejected" | null;
  readonly copies: readonly (EventCopy & { readonly silver: SilverState })[];
  readonly buffered: readonly (BufferedEvent & {
    readonly topic: string;
    readonly shard: number;
    readonly shard_of: number;
  })[];
  readonly parked: readonly ParkedEvent[];
  readonly silver: readonly SilverTrace[];
  readonly gold: readonly GoldTrace[];
  readonly dead_letters: readonly DeadLetter[];
  readonly searched: SearchCost & {
    readonly topics: readonly string[];
    readonly dates: readonly string[] | null;
    readonly registered_from: string | null;
    readonly registered_to: string | null;
    readonly unreadable: readonly string[];
  };
  readonly next: SearchPosition | null;
}

/** Shards of a topic that are asked for what they hold, at most. */
const MAX_SHARDS = 64;

/** Throws `LakeBusyError`, and what D1, R2 and the buffers throw. */
export async function traceEvent(deps: GatewayDeps, lake: TraceDeps, request: TraceRequest): Promise<TracedEvent> {
  const { eventId, contracts, date, start, now } = request;
  const times = timesToSearch(eventId, now);
  const sources: TraceSource[] = contracts.map((contract) => ({
    where: {
      topic: contract.topic,
      dates: date === null ? null : [date],
      shards: shardsOfId(contract, eventId),
      ...times,
    },
    rows: { column: idField(contract), text: eventId, wanted: copyColumns(contract) },
  }));
  sources.push({
    // A dead letter's date is that of its reception, which may be the day after the event's.
    where: { topic: DEAD_LETTERS_TOPIC, dates: date === null ? null : [date, nextDate(date)], shards: null, ...times },
    rows: { column: "event_id", text: eventId, wanted: COLUMNS_WITHOUT_PAYLOAD },
  });

  // In the order of the way: what is flushed or set aside meanwhile is then found where it went, not in neither place.
  const first = start.source === 0 && start.after === "";
  const waiting = first ? await inBuffers(deps, contracts, eventId) : [];
  const parked = first ? await searchParked({ db: lake.db, bucket: deps.lake }, contracts, eventId) : [];
  const cost: SearchCost = { files: 0, files_pruned: 0, row_groups: 0 };
  const { found, unreadable, next } = await searchBronze(lake, sources, start, request.maxFiles, cost);
  const lost = [...unreadable];
  const deadLetters: DeadLetter[] = [];
  const copies: EventCopy[] = [];
  for (const { source, row } of found) {
    const contract = contracts[source];
    if (contract !== undefined) copies.push(copyOf(contract, row));
    else deadLetters.push(refusalOf(row));
  }

  const silver: SilverTrace[] = [];
  const gold: GoldTrace[] = [];
  const traced: (EventCopy & { silver: SilverState })[] = [];
  for (const [, group] of Map.groupBy(copies, ({ topic, partition_date }) => `${topic} ${partition_date}`)) {
    const [first] = group;
    const contract = contracts.find(({ topic }) => topic === first?.topic);
    if (first === undefined || contract === undefined) continue;
    const search = { column: idField(contract), text: eventId };
    const published = await tracePublished(lake, contract, first.partition_date, search, group, cost, lost);
    silver.push(published.silver);
    gold.push(...published.gold);
    traced.push(...group.map((copy, i) => ({ ...copy, silver: published.states[i] ?? "waiting" })));
  }

  const topics = new Set(contracts.map(({ topic }) => topic));
  const stored = new Set(copies.map(placeOf));
  const answer = {
    copies: traced,
    buffered: waiting.filter((event) => !stored.has(placeOf(event))),
    parked: parked.filter((event) => !stored.has(placeOf(event))),
    silver,
    gold,
    dead_letters: deadLetters.filter(({ topic }) => topics.has(topic)),
  };
  return {
    state: stateOf(answer),
    ...answer,
    searched: {
      topics: [...topics],
      dates: date === null ? null : [date],
      registered_from: date === null ? times.from : null,
      registered_to: date === null ? times.to : null,
      ...cost,
      unreadable: lost.slice(0, 20),
    },
    next,
  };
}

function placeOf({ message_id, event_index }: Pick<ParkedEvent, "message_id" | "event_index">): string {
  return `${message_id}/${event_index}`;
}

function stateOf(found: Pick<TracedEvent, "copies" | "buffered" | "parked" | "dead_letters">): TracedEvent["state"] {
  if (found.copies.some(({ silver }) => silver === "kept" || silver === "duplicate")) return "silver";
  if (found.copies.length > 0) return "bronze";
  if (found.buffered.length > 0) return "buffered";
  if (found.parked.length > 0) return "parked";
  return found.dead_letters.length > 0 ? "rejected" : null;
}

async function inBuffers(
  deps: GatewayDeps,
  contracts: readonly Contract[],
  eventId: string,
): Promise<TracedEvent["buffered"][number][]> {
  const ofTopics = await Promise.all(
    contracts.map(async (contract) => {
      const { topic } = contract;
      const byCount = shardsOfId(contract, eventId);
      const listed = await shardsOf(deps.db, topic);
      const asked = listed.filter(({ shard, shard_of }) => byCount === null || byCount[String(shard_of)] === shard);
      const ofShards = await Promise.all(
        asked.slice(0, MAX_SHARDS).map(async ({ shard, shard_of }) => {
          const events = await deps.findBuffered({ topic, shard, of: shard_of }, idField(contract), eventId);
          return events.map((event) => ({ ...event, topic, shard, shard_of }));
        }),
      );
      return ofShards.flat();
    }),
  );
  return ofTopics.flat();
}
