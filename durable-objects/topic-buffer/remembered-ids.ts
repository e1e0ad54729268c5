/**
 * The ids of messages already appended, packed sixteen bytes each per hour of the id. Bounded: an hour is forgotten when
 * no queue can deliver its messages any more.
 */

const ID_BYTES = 16;
const HOUR_MS = 3_600_000;

/** Queue retention (4 days by default) + dead-letter queue retention (4 days) + 1 day: PROTOCOLS 2. */
export const REMEMBERED_HOURS = (4 + 4 + 1) * 24;

/** The hour, counted from the epoch, in which a UUIDv7 was made (RFC 9562, section 5.7: 48 bits of milliseconds first). */
export function hourOf(messageId: string): number {
  let millis = 0;
  for (let i = 0; i < 13; i++) if (i !== 8) millis = millis * 16 + digitAt(messageId, i);
  return Math.floor(millis / HOUR_MS);
}

/** `YYYY-MM-DDTHH:00:00Z` of an hour counted from the epoch. */
export function hourText(hour: number): string {
  return `${new Date(hour * HOUR_MS).toISOString().slice(0, 13)}:00:00Z`;
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

/** Ids one after another, sixteen bytes each. Throws when one is no UUID. */
export function packIds(messageIds: readonly string[]): Uint8Array {
  const packed = new Uint8Array(messageIds.length * ID_BYTES);
  for (const [i, id] of messageIds.entries()) packed.set(packId(id), i * ID_BYTES);
  return packed;
}

function* unpackIds(packed: Uint8Array): Generator<string> {
  for (let at = 0; at + ID_BYTES <= packed.byteLength; at += ID_BYTES) yield idKey(packed.subarray(at, at + ID_BYTES));
}

// A set of short strings is several times faster than one of hex texts and half the memory. Made without a spread: each append asks.
function idKey(id: Uint8Array): string {
  // Sixteen bytes, two a code unit.
  const unit = (i: number): number => ((id[i] ?? 0) << 8) | (id[i + 1] ?? 0);
  return String.fromCharCode(unit(0), unit(2), unit(4), unit(6), unit(8), unit(10), unit(12), unit(14));
}

/** The part of the store that remembers. */
export interface IdStore {
  /** An hour's packed ids, as far as they are noted. */
  loadIds(hour: number): Uint8Array;
  /** The ids that only their blocks tell yet. */
  unnotedIds(): Iterable<string>;
  forgetIdsBefore(hour: number): void;
  /** The hour before which ids were ever forgotten; it never goes back. */
  forgottenBefore(): number;
}

/** A cache over the store: an hour, and the blocks that are open, are read once in the life of the object. */
export class RememberedIds {
  readonly #store: IdStore;
  readonly #hours = new Map<number, Set<string>>();
  /** As they were when the first hour was read; what came later is in the hours. */
  #unnoted: Map<number, string[]> | undefined;

  constructor(store: IdStore) {
    this.#store = store;
  }

  /** The oldest hour whose messages may be appended now. What was forgotten stays refused, even when the clock goes back. */
  oldest(now: number): number {
    return Math.max(oldestHour(now), this.#store.forgottenBefore());
  }

  has(messageId: string): boolean {
    return this.#hour(hourOf(messageId)).has(idKey(packId(messageId)));
  }

  /** Remembers ids whose blocks the caller's transaction appends. */
  add(messageIds: Iterable<string>): void {
    for (const id of messageIds) this.#hour(hourOf(id)).add(idKey(packId(id)));
  }

  forgetBefore(hour: number): void {
    for (const known of this.#hours.keys()) if (known < hour) this.#hours.delete(known);
    this.#store.forgetIdsBefore(hour);
  }

  /** Drops the cache: what it holds may be ahead of a transaction that was rolled back. */
  reset(): void {
    this.#hours.clear();
    this.#unnoted = undefined;
  }

  #hour(hour: number): Set<string> {
    const known = this.#hours.get(hour);
    if (known !== undefined) return known;
    this.#unnoted ??= Map.groupBy(this.#store.unnotedIds(), hourOf);
    const loaded = new Set(unpackIds(this.#store.loadIds(hour)));
    for (const id of this.#unnoted.get(hour) ?? []) loaded.add(idKey(packId(id)));
    this.#hours.set(hour, loaded);
    return loaded;
  }
}
