/**
 * Events of one request that have the same dedupe key. They are no errors, since tables keep one row per key; but a producer
 * that sends a key twice at once has a defect more often than not, so the answer says so.
 */
import { fnv1a } from "../contracts/shards.ts";
import { isRawNumber } from "../schemas/exact-json.ts";
import { isRecord, scalarText } from "./admit/value-forms.ts";

/** An event and the first one of the request with the same key. */
export interface RepeatedEvent {
  readonly index: number;
  readonly of: number;
}

export interface Duplicates {
  /** The first of them, at most 100. */
  readonly listed: readonly RepeatedEvent[];
  readonly total: number;
}

const MAX_LISTED = 100;

/** Longer keys are no keys that a contract would take, and remembering them would hold the body in memory. */
const MAX_KEY = 256;

export interface RepeatFinder {
  /** Takes the request's events one by one, from index 0 on. */
  add(event: unknown, index: number): void;
  /** Once all are taken. */
  found(): Duplicates;
}

/** `dedupeKey`: the names of the top-level fields that together identify an event. Events without one of them are ignored. */
export function createRepeatFinder(dedupeKey: readonly string[]): RepeatFinder {
  // By hashes: V8 interns each text that it looks up in a map, which takes longer than to hash it here.
  const firstByHash = new Map<number, number>();
  /** By index. */
  const keys: (string | undefined)[] = [];
  /** Where a key was first seen, by its text: only for keys whose hash belongs to another key already. */
  const firstByKey = new Map<string, number>();
  const listed: RepeatedEvent[] = [];
  let total = 0;
  return {
    add(event, index) {
      const key = keyOf(event, dedupeKey);
      keys.push(key);
      if (key === undefined) return;
      // 30 bits: V8 holds a longer number as an object.
      const hash = fnv1a(key) >>> 2;
      let of = firstByHash.get(hash);
      if (of === undefined) {
        firstByHash.set(hash, index);
        return;
      }
      if (keys[of] !== key) of = firstByKey.get(key);
      if (of === undefined) {
        firstByKey.set(key, index);
        return;
      }
      total++;
      if (listed.length < MAX_LISTED) listed.push({ index, of });
    },
    found: () => ({ listed, total }),
  };
}

function keyOf(event: unknown, names: readonly string[]): string | undefined {
  if (!isRecord(event)) return undefined;
  const [only] = names;
  if (names.length === 1 && only !== undefined) return partOf(event, only);
  const parts = names.map((name) => partOf(event, name));
  return parts.includes(undefined) ? undefined : JSON.stringify(parts);
}

function partOf(event: Readonly<Record<string, unknown>>, name: string): string | undefined {
  // A field of a schema has no name that objects inherit (`plan.ts`).
  const value = event[name];
  if (typeof value === "string") return value.length <= MAX_KEY ? value : undefined;
  return typeof value === "number" || isRawNumber(value) ? scalarText(value) : undefined;
}
