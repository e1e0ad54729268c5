/**
 * The names that the catalog has, all at once, for callers who guessed too often: whoever shares their address (an office, a
 * mobile network, another Worker) still has a key of its own looked up, and a guess costs nothing.
 */
import type { Caller } from "./caller.ts";

/** A key that was made since is refused to such callers for as long. */
const FRESH_MS = 60_000;
/** After a failure the catalog is asked again as soon as callers are told to come back. */
const FAILED_MS = 5_000;
/** A name has some 100 bytes, and D1 reads a row for each. With more names than this nobody is told apart. */
export const MAX_NAMES = 5_000;

export interface NameListOptions {
  /** At most so many names; throws if the catalog does not answer. */
  readonly load: (limit: number) => Promise<readonly string[]>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface NameList {
  /** False where it is not known: the catalog does not answer, or has too many names. */
  has(name: string, caller: Caller): Promise<boolean>;
}

export function createNameList({ load, now }: NameListOptions): NameList {
  let listed: Promise<ReadonlySet<string>> | undefined;
  let until = 0;

  async function read(at: number): Promise<ReadonlySet<string>> {
    try {
      const names = await load(MAX_NAMES + 1);
      return new Set(names.length > MAX_NAMES ? [] : names);
    } catch {
      until = at + FAILED_MS;
      return new Set();
    }
  }

  return {
    async has(name, caller) {
      const at = now();
      if (listed === undefined || at >= until) {
        until = at + FRESH_MS;
        listed = read(at);
        caller.keepAlive(listed);
      }
      return (await listed).has(name);
    },
  };
}
