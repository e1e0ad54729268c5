/** Dead letters by id. An id says nothing of the time, so days are searched, the newest first, within bounds. */
import type { StoredDeadLetter } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import {
  type DeadLetterPage,
  type DeadLetterQuery,
  readDeadLetters,
} from "../../lakehouse/lookups/dead-letters/page.ts";
import type { Position } from "../../lakehouse/lookups/dead-letters/position.ts";
import type { ReceivedRange } from "../../lakehouse/lookups/dead-letters/scan.ts";
import type { GatewayDeps } from "../deps.ts";
import { readLake } from "../lake-access.ts";

export interface DeadLetterSearch {
  readonly ids: ReadonlySet<string>;
  /** null: of every topic. */
  readonly topics: ReadonlySet<string> | null;
  readonly range: ReceivedRange;
}

export interface FoundDeadLetters {
  /** With their payloads. */
  readonly letters: readonly StoredDeadLetter[];
  /** Whether the whole range was searched, or all were found. */
  readonly searchedAll: boolean;
}

/** A page reads at most some dozens of objects: so many pages are searched for ids. */
const MOST_PAGES = 4;

/** Throws the problems of `readLake`. */
export async function findDeadLetters(
  deps: Pick<GatewayDeps, "db" | "lake">,
  { ids, topics, range }: DeadLetterSearch,
): Promise<FoundDeadLetters> {
  const letters: StoredDeadLetter[] = [];
  const missing = new Set(ids);
  let after: Position | null = null;
  for (let pages = 0; pages < MOST_PAGES && missing.size > 0; pages++) {
    const query: DeadLetterQuery = {
      filter: { topics, errorType: null, producer: null, ids: new Set(missing) },
      order: "newest",
      range,
      after,
      limit: missing.size,
      withPayloads: true,
    };
    // The permit is given back between pages, so that a long search does not hold up flushes.
    const page: DeadLetterPage = await readLake((permit) =>
      readDeadLetters({ db: deps.db, bucket: deps.lake, permit }, query),
    );
    for (const letter of page.letters) {
      letters.push(letter);
      missing.delete(letter.dlq_id);
    }
    if (page.next === null) return { letters, searchedAll: true };
    after = page.next;
  }
  return { letters, searchedAll: missing.size === 0 };
}
