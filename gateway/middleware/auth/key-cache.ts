/**
 * Keys by hash, cached in the isolate for 30 s, misses too; requests that miss together wait for one query. While the
 * catalog is down a known key serves until it is 60 s old (PROTOCOLS 1).
 */
import type { KeyGrant } from "./grant.ts";

const FRESH_MS = 30_000;
const STALE_MS = 60_000;
/** Misses are cached too, so a caller could fill the memory with guesses: the oldest entries leave. */
const MAX_ENTRIES = 10_000;

export interface KeyCacheOptions {
  /** The grant of a key's hash, null if there is none; throws if the catalog does not answer. */
  readonly load: (keyHash: string) => Promise<KeyGrant | null>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type KeyLookup =
  | { readonly state: "known"; readonly grant: KeyGrant }
  | { readonly state: "unknown" }
  | { readonly state: "unavailable"; readonly cause: unknown };

export interface KeyCache {
  /** `keepAlive` is given a query that others may be waiting for: it should outlive the request that began it. */
  lookup(keyHash: string, keepAlive: (query: Promise<unknown>) => void): Promise<KeyLookup>;
}

interface Entry {
  readonly grant: KeyGrant | null;
  readonly loadedAt: number;
}

export function createKeyCache(options: KeyCacheOptions): KeyCache {
  const entries = new Map<string, Entry>();
  const loading = new Map<string, Promise<Entry>>();

  async function load(keyHash: string): Promise<Entry> {
    try {
      const grant = await options.load(keyHash);
      const entry: Entry = { grant, loadedAt: options.now() };
      entries.delete(keyHash);
      entries.set(keyHash, entry);
      const [oldest] = entries.keys();
      if (entries.size > MAX_ENTRIES && oldest !== undefined) entries.delete(oldest);
      return entry;
    } finally {
      loading.delete(keyHash);
    }
  }

  return {
    async lookup(keyHash, keepAlive) {
      const cached = entries.get(keyHash);
      if (cached !== undefined && options.now() - cached.loadedAt < FRESH_MS) return found(cached);
      let query = loading.get(keyHash);
      if (query === undefined) {
        query = load(keyHash);
        loading.set(keyHash, query);
        keepAlive(query.catch(() => undefined));
      }
      try {
        return found(await query);
      } catch (cause) {
        // A stale miss proves nothing: the key may have been created since.
        if (cached?.grant && options.now() - cached.loadedAt < STALE_MS) return found(cached);
        return { state: "unavailable", cause };
      }
    },
  };
}

function found({ grant }: Entry): KeyLookup {
  return grant === null ? { state: "unknown" } : { state: "known", grant };
}
