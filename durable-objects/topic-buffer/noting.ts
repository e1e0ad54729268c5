/**
 * What is known of messages beside their bytes: ids, counts, arrivals. Each row written is billed, so an append writes none of it:
 * the headers of an open block's frames say it all. Freezing writes it down, once a flush and in the transaction that claims the
 * blocks: a block is open and its own note, or noted, which each frozen one is.
 */
import { wasSetAside } from "../../lakehouse/upkeep/parked/resend-origin.ts";
import { firstSlicesByHour, type Numbered, withArrivals } from "./arrivals.ts";
import type { LedgerLine } from "./ledger-store.ts";
import { hourOfReception } from "./set-aside.ts";
import type { BufferStore, FrameHead } from "./store.ts";

/** Writes down what the blocks of a flush say. To be called in the transaction that froze them; holds one block at a time. */
export function noteFrozen(store: BufferStore, seq: number): void {
  noteFrames(store, store.unnotedFrames(seq));
}

/** Writes down what frames say, a block's at a time. To be called in the transaction that freezes their blocks, or appends them as noted. */
export function noteFrames(store: BufferStore, blocks: Iterable<readonly FrameHead[]>): void {
  const ids: string[] = [];
  const totals = new Map<string, LedgerLine>();
  const arrived = new Map<string, Numbered[]>();
  for (const frames of blocks) {
    for (const { header } of frames) ids.push(header.message_id);
    // What a flush set aside was counted when it first came: the same events come back.
    const counted = frames.filter(({ header }) => !wasSetAside(header));
    addEvents(totals, counted);
    for (const [hour, headers] of firstSlicesByHour(counted)) {
      arrived.set(hour, [...(arrived.get(hour) ?? []), ...headers]);
    }
  }
  store.noted.add(ids);
  store.ledger.count([...totals.values()]);
  for (const [hour, headers] of arrived) {
    store.arrivals.save(hour, withArrivals(store.arrivals.load(hour), headers));
  }
}

/** Counts per hour of reception: by label where the slice has labels (dead letters), what no label counts together. */
function addEvents(totals: Map<string, LedgerLine>, frames: readonly FrameHead[]): void {
  const add = (hour: string, detail: string, events: number): void => {
    const key = `${hour} ${detail}`;
    totals.set(key, { hour, detail, events: (totals.get(key)?.events ?? 0) + events });
  };
  for (const { header, slice } of frames) {
    const hour = hourOfReception(header.received);
    let unlabelled = slice.count;
    for (const [label, events] of Object.entries(slice.tally)) {
      add(hour, label, events);
      unlabelled -= events;
    }
    if (unlabelled > 0) add(hour, "", unlabelled);
  }
}
