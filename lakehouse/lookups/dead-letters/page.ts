/**
 * A page of dead letters, read from the lake: published silver, and the bronze that silver does not hold yet. Date by date, and
 * within a date object by object in the order of their times, until nothing unread can come before what was found. Bounded:
 * a page that would take too many reads ends early, with the position from which the next one goes on.
 */

import { dayOf, formatDate, parseDate, parseTimestamp } from "../../../schemas/time.ts";
import { bronzeBehind, datesWithRows, type RowSource } from "../../../sql/statements/dead-letters.ts";
import { openParquet, type RangeSource } from "../../engine/parquet/reader.ts";
import type { WasmPermit } from "../../engine/parquet/wasm.ts";
import { foldedBehind } from "../../tables/bronze/folded-behind.ts";
import { type LakeBucket, sizedSource } from "../../tables/lake.ts";
import { livePartition } from "../../tables/live-files.ts";
import { silverTableName } from "../../tables/silver-columns.ts";
import {
  COLUMNS_WITHOUT_PAYLOAD,
  DEAD_LETTER_COLUMNS,
  DEAD_LETTERS_TOPIC,
  deadLetterAt,
  type StoredDeadLetter,
} from "./dead-letter.ts";
import { boundaryAt, comparePositions, FirstPositions, type Order, type Position } from "./position.ts";
import { type DeadLetterFilter, type Hit, type ReceivedRange, scan } from "./scan.ts";

export interface DeadLetterQuery {
  readonly filter: DeadLetterFilter;
  readonly order: Order;
  readonly range: ReceivedRange;
  /** The page begins after it; null: at the start. */
  readonly after: Position | null;
  readonly limit: number;
  readonly withPayloads: boolean;
}

export interface DeadLetterPage {
  /** In the order asked for, each once. */
  readonly letters: readonly StoredDeadLetter[];
  /** Where the next page begins; null: there is no more. A page may have a next one although it is not full. */
  readonly next: Position | null;
}

export interface DeadLetterReader {
  readonly db: D1Database;
  readonly bucket: Pick<LakeBucket, "get">;
  readonly permit: WasmPermit;
}

/** So many objects overlap in time that no page can be read within its bounds: the date's silver must be built first. */
export class TooManyObjectsError extends Error {
  override readonly name = "TooManyObjectsError";
}

/** R2 reads after which a page ends where it can. A flush is one read, a date's silver about two for each row group. */
const READS_PER_PAGE = 64;
/** Reads after which it gives up, although it got nowhere. */
const MOST_READS = 512;

/** Reads a page. Throws what D1, R2 and the Parquet reader throw, and `TooManyObjectsError`. */
export async function readDeadLetters(reader: DeadLetterReader, query: DeadLetterQuery): Promise<DeadLetterPage> {
  const { order, range, after, limit } = query;
  const compare = comparePositions(order);
  const reads = new ReadCounter();
  // One more than asked for tells whether there is a next page; ids name at most one each.
  const found = new FirstPositions<Hit>(order, limit + 1);
  const begin = after === null ? range : clamp(range, after, order);
  const first = formatDate(dayOf(begin.from));
  const dates = await datesWithRows(reader.db, DEAD_LETTERS_TOPIC, first, formatDate(dayOf(begin.to)));
  if (order === "newest") dates.reverse();
  let boundary: Position | null = null;
  for (const date of dates) {
    boundary = await readDate(date);
    if (boundary !== null || found.items.length > limit || foundAll(query, found)) break;
  }
  const hits = found.items.filter((hit) => boundary === null || compare(hit, boundary) < 0);
  const shown = hits.slice(0, limit);
  const last = shown.at(-1);
  const next = hits.length > limit && last !== undefined ? last : boundary;
  return {
    letters: await readHits(reader.permit, shown, query.withPayloads),
    next: next === null || foundAll(query, found) ? null : { received: next.received, id: next.id },
  };

  /** Reads one date; the position up to which everything is known, or null if that is all of it. */
  async function readDate(date: string): Promise<Position | null> {
    const sources = await rowSources(reader, date);
    const reach = sources.flatMap((source) => reachOf(source, date, begin, order));
    reach.sort((a, b) => compare(a.best, b.best));
    for (const { source, best } of reach) {
      if (!found.wouldTake(best) || foundAll(query, found)) return null;
      if (reads.count >= READS_PER_PAGE) {
        const reached = boundaryAt(order, best.received);
        if (after === null ? best.received !== startOf(begin, order) : compare(after, reached) < 0) return reached;
        if (reads.count >= MOST_READS)
          throw new TooManyObjectsError(
            `${sources.length} objects of ${date} overlap in time: wait until its silver is built`,
          );
      }
      const file = await openParquet(reads.counted(sizedSource(reader.bucket, source.file, source.bytes)));
      const wanted = (position: Position) => after === null || compare(after, position) < 0;
      const { first_row: firstRow, rows } = source;
      await scan(reader.permit, { file, firstRow, rows, filter: query.filter, range: begin, wanted }, found);
    }
    return null;
  }
}

/** Every row of a date at least once: those of published silver, and those that it does not hold yet. */
async function rowSources({ db, bucket }: DeadLetterReader, date: string): Promise<RowSource[]> {
  const silver = await livePartition(db, bucket, silverTableName(DEAD_LETTERS_TOPIC), date);
  const files = (silver?.files ?? []).filter(({ kind }) => kind === "data");
  const seen = silver?.seen ?? 0;
  const bronze = await bronzeBehind(db, DEAD_LETTERS_TOPIC, date, seen);
  const folded = await foldedBehind(db, bucket, DEAD_LETTERS_TOPIC, date, seen);
  const anyTime = { first_row: 0, min_received: null, max_received: null };
  return [...files.map(({ file, bytes, rows }) => ({ file, bytes, rows, ...anyTime })), ...bronze, ...folded];
}

/** Every id that was asked for has been found: nothing else can match. */
function foundAll({ filter }: DeadLetterQuery, found: FirstPositions<Hit>): boolean {
  return filter.ids !== null && found.items.length >= filter.ids.size;
}

function startOf(range: ReceivedRange, order: Order): number {
  return order === "newest" ? range.to : range.from;
}

function clamp(range: ReceivedRange, after: Position, order: Order): ReceivedRange {
  return order === "newest"
    ? { from: range.from, to: Math.min(range.to, after.received) }
    : { from: Math.max(range.from, after.received), to: range.to };
}

const DAY_MICROS = 86_400_000_000;

/** The best position that a source can hold within the range; nothing if it cannot hold any. */
function reachOf(
  source: RowSource,
  date: string,
  range: ReceivedRange,
  order: Order,
): { readonly source: RowSource; readonly best: Position }[] {
  const midnight = (parseDate(date) ?? 0) * DAY_MICROS;
  const timeOf = (text: string | null, otherwise: number) =>
    (text === null ? undefined : parseTimestamp(text)) ?? otherwise;
  const from = Math.max(midnight, timeOf(source.min_received, midnight), range.from);
  const lastOfDate = midnight + DAY_MICROS - 1;
  const to = Math.min(lastOfDate, timeOf(source.max_received, lastOfDate), range.to);
  if (from > to) return [];
  return [{ source, best: boundaryAt(order, order === "newest" ? to : from) }];
}

/** The hits' rows, in their order. Each row group is read once. */
async function readHits(permit: WasmPermit, hits: readonly Hit[], withPayloads: boolean): Promise<StoredDeadLetter[]> {
  const wanted = withPayloads ? DEAD_LETTER_COLUMNS : COLUMNS_WITHOUT_PAYLOAD;
  const letters = new Map<Hit, StoredDeadLetter>();
  for (const [file, ofFile] of Map.groupBy(hits, (hit) => hit.file)) {
    const columns = wanted.filter((name) => file.columns.includes(name));
    for (const [group, ofGroup] of Map.groupBy(ofFile, (hit) => hit.group)) {
      const byRow = new Map(ofGroup.map((hit) => [hit.row, hit]));
      const offset = Math.min(...byRow.keys());
      const limit = Math.max(...byRow.keys()) - offset + 1;
      let at = offset;
      for await (const batch of file.read(permit, { columns, rowGroups: [group], offset, limit })) {
        for (let row = 0; row < batch.length; row++) {
          const hit = byRow.get(at + row);
          if (hit !== undefined) letters.set(hit, deadLetterAt(batch, row));
        }
        at += batch.length;
      }
    }
  }
  return hits.flatMap((hit) => letters.get(hit) ?? []);
}

class ReadCounter {
  count = 0;

  counted(source: RangeSource): RangeSource {
    return {
      ...source,
      read: (start, end) => {
        this.count++;
        return source.read(start, end);
      },
    };
  }
}
