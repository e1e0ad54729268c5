/**
 * Keys by hash, cached in the isolate for 30 s, misses too; requests that miss together wait for one query. While the
 * catalog is down a known key serves until it is 60 s old (PROTOCOLS 1), so a revocation takes effect within that time. The
 * origins of publishable keys are cached in the same way.
 */
import type { KeyGrant } from "./grant.ts";

const FRESH_MS = 30_000;
const STALE_MS = 60_000;
/** Misses are cached too, so a caller could fill the memory with guesses: the oldest entries leave. */
const MAX_ENTRIES = 10_000;

export interface KeyCacheOptions<Grant> {
  /** The grant of a key's hash, null if there is none; throws if the catalog does not answer. */
  readonly load: (keyHash: string) => Promise<Grant | null>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type KeyLookup<Grant = KeyGrant> =
  | { readonly state: "known"; readonly grant: Grant }
  | { readonly state: "unknown" }
  | { readonly state: "unavailable"; readonly cause: unknown };

export interface KeyCache<Grant = KeyGrant> {
  /** `keepAlive` is given a query that others may be waiting for: it should outlive the request that began it. */
  lookup(keyHash: string, keepAlive: (query: Promise<unknown>) => void): Promise<KeyLookup<Grant>>;
}

interface Entry<Grant> {
  readonly grant: Grant | null;
  readonly loadedAt: number;
}

export function createKeyCache<Grant = KeyGrant>(options: KeyCacheOptions<Grant>): KeyCache<Grant> {
  const entries = new Map<string, Entry<Grant>>();
  const loading = new Map<string, Promise<Entry<Grant>>>();

  async function load(keyHash: string): Promise<Entry<Grant>> {
    // The time before the query: what changed while it ran may not be in its answer.
    const loadedAt = options.now();
    try {
      const grant = await options.load(keyHash);
      const entry: Entry<Grant> = { grant, loadedAt };
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
        if (cached !== undefined && cached.grant !== null && options.now() - cached.loadedAt < STALE_MS) {
          return found(cached);
        }
        return { state: "unavailable", cause };
      }
    },
  };
}

function found<Grant>({ grant }: Entry<Grant>): KeyLookup<Grant> {
  return grant === null ? { state: "unknown" } : { state: "known", grant };
}
