/**
 * The ids of messages already appended. They stand in the object's storage, packed sixteen bytes each per hour of the id, and are
 * looked up there; in memory are only those of the open blocks, which nothing else tells. An hour is forgotten when no queue can
 * deliver its messages any more.
 */
import { HOUR_MS } from "../../schemas/hours.ts";

const ID_BYTES = 16;

/** Queue retention (4 days by default) + dead-letter queue retention (4 days) + 1 day: PROTOCOLS 2. */
export const REMEMBERED_HOURS = (4 + 4 + 1) * 24;

/** When a UUIDv7 was made, in milliseconds since the epoch (RFC 9562, section 5.7: its first 48 bits). */
export function millisOf(messageId: string): number {
  let millis = 0;
  for (let i = 0; i < 13; i++) if (i !== 8) millis = millis * 16 + digitAt(messageId, i);
  return millis;
}

/** The hour, counted from the epoch, in which a UUIDv7 was made. */
export function hourOf(messageId: string): number {
  return Math.floor(millisOf(messageId) / HOUR_MS);
}

/** The oldest hour whose messages may still be appended. */
export function oldestHour(now: number): number {
  return Math.floor(now / HOUR_MS) - REMEMBERED_HOURS;
}

/** Hours that a message sent now may take to its buffer; one that takes longer is parked again. */
const TRAVEL_HOURS = 24;

/** Whether a message of this id, sent now, reaches buffers that know whether they have it. */
export function isRemembered(messageId: string, now: number): boolean {
  return hourOf(messageId) >= oldestHour(now) + TRAVEL_HOURS;
}

/** The sixteen bytes of a UUID's text. Throws when it is none. */
export function packId(messageId: string): Uint8Array {
  if (!UUID.test(messageId)) throw new TypeError(`"${messageId}" is not a UUID`);
  const packed = new Uint8Array(ID_BYTES);
  for (let i = 0; i < ID_BYTES; i++) packed[i] = byteAt(messageId, i);
  return packed;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A byte of a UUID by its number: its two digits stand behind those before it and the hyphens, of which the first follows byte 3. */
function byteAt(uuid: string, byte: number): number {
  const hyphens = byte < 4 ? 0 : byte >= 10 ? 4 : (byte >> 1) - 1;
  const at = byte * 2 + hyphens;
  return (digitAt(uuid, at) << 4) | digitAt(uuid, at + 1);
}

function digitAt(hex: string, index: number): number {
  const code = hex.charCodeAt(index);
  return code <= 0x39 ? code - 0x30 : code - 0x61 + 10;
}

/** Ids of one hour as they are stored, sixteen bytes each. */
export interface PackedIds {
  /** When the first and the last were made, milliseconds since the epoch: a look-up skips what cannot have its id. */
  readonly first: number;
  readonly last: number;
  readonly packed: Uint8Array;
}

/** Throws when one is no UUID. */
export function packIds(ascending: readonly string[]): PackedIds {
  const packed = new Uint8Array(ascending.length * ID_BYTES);
  for (const [i, id] of ascending.entries()) packed.set(packId(id), i * ID_BYTES);
  return { first: millisOf(ascending.at(0) ?? ""), last: millisOf(ascending.at(-1) ?? ""), packed };
}

// Sixteen bytes as a short text, two a code unit: what sets and maps compare.
function idKey(bytes: Uint8Array, at = 0): string {
  const unit = (i: number): number => ((bytes[at + i] ?? 0) << 8) | (bytes[at + i + 1] ?? 0);
  return String.fromCharCode(unit(0), unit(2), unit(4), unit(6), unit(8), unit(10), unit(12), unit(14));
}

/** The ids that an object's storage has. */
export interface NotedIds {
  /** Packed ids of an hour, in chunks: at least those made in `[first, last]`, milliseconds since the epoch. */
  madeBetween(hour: number, first: number, last: number): Iterable<Uint8Array>;
  forgetBefore(hour: number): void;
  /** The hour before which ids were ever forgotten; it never goes back. */
  forgottenBefore(): number;
}

export interface IdStore {
  readonly noted: NotedIds;
  /** The ids that only open blocks tell. */
  unnotedIds(): Iterable<string>;
}

/**
 * Ids that wait in memory for the next flush, a megabyte or two of them; several buffers share an isolate. A shard that takes more
 * between two flushes notes each further append with itself, which costs some rows more.
 */
const MAX_UNNOTED_IDS = 16_384;

export class RememberedIds {
  readonly #store: IdStore;
  readonly #maxUnnoted: number;
  /** The ids of open blocks, and of blocks that were frozen since; undefined: to be read from the blocks. */
  #unnoted: Set<string> | undefined;

  /** `maxUnnoted`: the most ids to hold; tests give less. */
  constructor(store: IdStore, maxUnnoted = MAX_UNNOTED_IDS) {
    this.#store = store;
    this.#maxUnnoted = maxUnnoted;
  }

  /** The oldest hour whose messages may be appended now. What was forgotten stays refused, even when the clock goes back. */
  oldest(now: number): number {
    return Math.max(oldestHour(now), this.#store.noted.forgottenBefore());
  }

  /** Those of the ids that were appended. Ids are ordered by time, so fresh ones are after all that is noted, and nothing is read. */
  known(messageIds: Iterable<string>): Set<string> {
    const unnoted = this.#open();
    const known = new Set<string>();
    const others: string[] = [];
    for (const id of messageIds) {
      if (unnoted.has(id)) known.add(id);
      else others.push(id);
    }
    for (const [hour, ids] of Map.groupBy(others, hourOf)) this.#findNoted(hour, ids, known);
    return known;
  }

  /** Whether so many ids more are too many to hold: then the append that brings them must note them. */
  isFull(more: number): boolean {
    return this.#open().size + more > this.#maxUnnoted;
  }

  /** Holds ids whose blocks the caller's transaction appends, and which it does not note. */
  add(messageIds: Iterable<string>): void {
    const unnoted = this.#open();
    for (const id of messageIds) unnoted.add(id);
  }

  forgetBefore(hour: number): void {
    this.#store.noted.forgetBefore(hour);
  }

  /** Drops what is held: blocks were frozen and noted, or a transaction was rolled back that had added ids. */
  reset(): void {
    this.#unnoted = undefined;
  }

  #open(): Set<string> {
    this.#unnoted ??= new Set(this.#store.unnotedIds());
    return this.#unnoted;
  }

  #findNoted(hour: number, ids: readonly string[], found: Set<string>): void {
    const asked = new Map(ids.map((id) => [idKey(packId(id)), id]));
    const times = ids.map(millisOf).sort((a, b) => a - b);
    for (const packed of this.#store.noted.madeBetween(hour, times[0] ?? 0, times.at(-1) ?? 0)) {
      for (let at = 0; at < packed.byteLength; at += ID_BYTES) {
        const id = asked.get(idKey(packed, at));
        if (id !== undefined) found.add(id);
      }
    }
  }
}
