/** The identities of a step's new rows in one typed table: some 30 bytes a key, where a Map of texts takes 150. */
import { release } from "../columns/release.ts";
import { IDENTITY_BYTES, type Identities } from "./identity.ts";

/** Words of an identity. */
const WORDS = IDENTITY_BYTES / 4;

/** The state of a key: bits. */
const KNOWN = 1;
const TAKEN = 2;

/** Bits of the filter for each place of the table, as a power of two: one bit in sixty-four is set at the most. Never more than 2 MB. */
const FILTER_BITS_A_PLACE = 3;
const MOST_FILTER_BITS = 24;

/**
 * A set of at most `capacity` identities. Who holds it learns each row's slot at `add`, marks the keys that the partition has already,
 * and then takes rows in their order: the first of each key that is not known is taken, all others are copies.
 */
export class KeySet {
  readonly #words: Uint32Array;
  readonly #state: Uint8Array;
  /** Slot by hash, plus one; 0 is free. Its length is a power of two, at least twice the capacity. */
  readonly #table: Uint32Array;
  /**
   * A bit by another hash, of which few are set: a partition's known keys are millions, and nearly none of them is in the set. One that
   * is not costs a look at a bit, a tenth of a look at the table. Producers who choose keys with the same bit gain nothing but that look.
   */
  readonly #filter: Uint32Array;
  readonly #filterShift: number;
  readonly #seed: number;
  readonly #capacity: number;
  #size = 0;

  /** `seed`: a random 32-bit integer. Producers choose their keys, so a known hash would let one of them make every probe long. */
  constructor(capacity: number, seed: number) {
    this.#capacity = capacity;
    this.#seed = seed;
    this.#words = new Uint32Array(capacity * WORDS);
    this.#state = new Uint8Array(capacity);
    const bits = Math.ceil(Math.log2(Math.max(1, capacity) * 2));
    this.#table = new Uint32Array(2 ** bits);
    const filterBits = Math.max(5, Math.min(bits + FILTER_BITS_A_PLACE, MOST_FILTER_BITS));
    this.#filter = new Uint32Array(2 ** (filterBits - 5));
    this.#filterShift = 32 - filterBits;
  }

  get size(): number {
    return this.#size;
  }

  /** The slot of each identity, new ones included. Throws a RangeError past the capacity. */
  add(identities: Identities): Int32Array {
    const words = wordsOf(identities);
    const slots = new Int32Array(words.length / WORDS);
    for (let i = 0; i < slots.length; i++) {
      const place = this.#place(words, i * WORDS);
      const slot = this.#table[place]!;
      slots[i] = slot > 0 ? slot - 1 : this.#insert(place, words, i * WORDS);
    }
    return slots;
  }

  /** Marks those of the identities that the set has; others are passed over. */
  markKnown(identities: Identities): void {
    const words = wordsOf(identities);
    const [filter, seed, shift] = [this.#filter, this.#seed, this.#filterShift];
    for (let at = 0; at < words.length; at += WORDS) {
      const bit = filterHash(words, at, seed) >>> shift;
      if (((filter[bit >>> 5]! >>> (bit & 31)) & 1) === 0) continue;
      const slot = this.#table[this.#place(words, at)]!;
      if (slot > 0) this.#state[slot - 1]! |= KNOWN;
    }
  }

  /** Whether a row with the key of this slot would be the first: neither known nor taken. */
  isFree(slot: number): boolean {
    return this.#state[slot] === 0;
  }

  take(slot: number): void {
    this.#state[slot]! |= TAKEN;
  }

  /** The keys that were taken, in the order in which they were added: what the partition knows from now on. */
  taken(): Identities {
    const out = new Uint32Array(this.#size * WORDS);
    let count = 0;
    for (let slot = 0; slot < this.#size; slot++) {
      if ((this.#state[slot]! & TAKEN) === 0) continue;
      out.set(this.#words.subarray(slot * WORDS, (slot + 1) * WORDS), count * WORDS);
      count++;
    }
    return new Uint8Array(out.buffer, 0, count * IDENTITY_BYTES);
  }

  /** Frees the set's arrays: it is of no use any more. */
  release(): void {
    release(this.#words);
    release(this.#state);
    release(this.#table);
    release(this.#filter);
  }

  /** Where the key stands in the table, or the free place where it would. The table is at most half full, so there is one. */
  #place(words: Uint32Array, at: number): number {
    const mask = this.#table.length - 1;
    let place = this.#hash(words, at) & mask;
    for (;;) {
      const slot = this.#table[place]!;
      if (slot === 0 || this.#equals(slot - 1, words, at)) return place;
      place = (place + 1) & mask;
    }
  }

  #insert(place: number, words: Uint32Array, at: number): number {
    if (this.#size === this.#capacity) throw new RangeError(`more than ${this.#capacity} keys`);
    const slot = this.#size++;
    for (let word = 0; word < WORDS; word++) this.#words[slot * WORDS + word] = words[at + word]!;
    this.#table[place] = slot + 1;
    const bit = filterHash(words, at, this.#seed) >>> this.#filterShift;
    this.#filter[bit >>> 5]! |= 1 << (bit & 31);
    return slot;
  }

  #equals(slot: number, words: Uint32Array, at: number): boolean {
    const own = slot * WORDS;
    for (let word = 0; word < WORDS; word++) if (this.#words[own + word] !== words[at + word]) return false;
    return true;
  }

  #hash(words: Uint32Array, at: number): number {
    let h = this.#seed;
    for (let word = 0; word < WORDS; word++) {
      h = Math.imul(h ^ words[at + word]!, 0x9e3779b1);
      h ^= h >>> 15;
    }
    h = Math.imul(h, 0x85ebca6b);
    return (h ^ (h >>> 13)) >>> 0;
  }
}

/** Of all words of an identity: some keys differ in one of them only. The highest bits are the best. */
function filterHash(words: Uint32Array, at: number, seed: number): number {
  const low = words[at]! ^ Math.imul(words[at + 1]!, 0x85ebca6b);
  const high = words[at + 2]! ^ Math.imul(words[at + 3]!, 0xc2b2ae35);
  return Math.imul(low ^ (high << 13) ^ (high >>> 19) ^ seed, 0x9e3779b1);
}

/** Copied where the bytes do not begin at a whole word. */
function wordsOf(identities: Identities): Uint32Array {
  if (identities.length % IDENTITY_BYTES !== 0)
    throw new RangeError(`${identities.length} bytes are no whole identities`);
  const aligned = identities.byteOffset % 4 === 0 ? identities : identities.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}
