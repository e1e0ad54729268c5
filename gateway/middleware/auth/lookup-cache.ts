/**
 * What the catalog says of a key's hash, or of an origin, cached in the isolate for 30 s, misses too; requests that miss together
 * wait for one query. While the catalog is down what is known serves until it is 60 s old (PROTOCOLS 1), so a revocation takes
 * effect within that time.
 *
 * Nobody has shown a key yet when this is asked. So misses have a cache of their own: guesses can push out other guesses, and
 * never a key that is in force. And each query for what is not known counts against its caller (`miss-limit.ts`); over the limit only
 * what the list of all names has is looked up (`name-list.ts`).
 */
import type { Caller } from "./caller.ts";
import type { MissLimit } from "./miss-limit.ts";
import type { NameList } from "./name-list.ts";

const FRESH_MS = 30_000;
const STALE_MS = 60_000;
/** More keys than one isolate serves within half a minute; the least recently loaded leave. */
const MAX_KNOWN = 10_000;
/** A miss costs some 150 bytes. */
const MAX_MISSES = 10_000;

export interface LookupCacheOptions<Value> {
  /** What the catalog has under a name, null if nothing; throws if it does not answer. */
  readonly load: (name: string) => Promise<Value | null>;
  readonly missLimit: MissLimit;
  /** Asked for callers over the limit: what it has is looked up for them too. */
  readonly names: NameList;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type Lookup<Value> =
  | { readonly state: "known"; readonly value: Value }
  | { readonly state: "unknown" }
  /** The caller asked for too much that is unknown: the catalog was not asked. */
  | { readonly state: "limited"; readonly retryAfterSeconds: number }
  | { readonly state: "unavailable"; readonly cause: unknown };

export interface LookupCache<Value> {
  lookup(name: string, caller: Caller): Promise<Lookup<Value>>;
}

export function createLookupCache<Value>(options: LookupCacheOptions<Value>): LookupCache<Value> {
  const known = new Map<string, { readonly value: Value; readonly loadedAt: number }>();
  const misses = new Map<string, number>();
  const loading = new Map<string, Promise<Value | null>>();

  async function load(name: string): Promise<Value | null> {
    // The time before the query: what changed while it ran may not be in its answer.
    const loadedAt = options.now();
    try {
      const value = await options.load(name);
      known.delete(name);
      misses.delete(name);
      if (value === null) put(misses, name, loadedAt, MAX_MISSES);
      else put(known, name, { value, loadedAt }, MAX_KNOWN);
      return value;
    } finally {
      loading.delete(name);
    }
  }

  function settleCount(query: Promise<Value | null>, network: string): void {
    query.then(
      (value) => {
        if (value !== null) options.missLimit.giveBack(network);
      },
      () => options.missLimit.noteFailure(network),
    );
  }

  return {
    async lookup(name, caller) {
      const now = options.now();
      const cached = known.get(name);
      if (cached !== undefined && now - cached.loadedAt < FRESH_MS) return { state: "known", value: cached.value };
      const missedAt = misses.get(name);
      if (missedAt !== undefined && now - missedAt < FRESH_MS) return { state: "unknown" };
      const retryAfterSeconds =
        loading.has(name) || cached !== undefined ? 0 : options.missLimit.take(caller.network, now);
      if (retryAfterSeconds > 0 && !(await options.names.has(name, caller))) {
        // A key in force must not be called unknown because the catalog was down.
        return options.missLimit.sawFailure(caller.network)
          ? { state: "unavailable", cause: new Error("the catalog did not answer earlier look-ups of this network") }
          : { state: "limited", retryAfterSeconds };
      }
      let query = loading.get(name);
      if (query === undefined) {
        query = load(name);
        if (cached === undefined && retryAfterSeconds === 0) settleCount(query, caller.network);
        loading.set(name, query);
        caller.keepAlive(query.catch(() => undefined));
      }
      try {
        const value = await query;
        return value === null ? { state: "unknown" } : { state: "known", value };
      } catch (cause) {
        // A stale miss proves nothing: the key may have been created since.
        if (cached !== undefined && options.now() - cached.loadedAt < STALE_MS) {
          return { state: "known", value: cached.value };
        }
        return { state: "unavailable", cause };
      }
    },
  };
}

function put<Value>(entries: Map<string, Value>, name: string, value: Value, most: number): void {
  entries.set(name, value);
  const [oldest] = entries.keys();
  if (entries.size > most && oldest !== undefined) entries.delete(oldest);
}
