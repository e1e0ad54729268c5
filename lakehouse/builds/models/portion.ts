/** Which rows of its inputs a step of a model reads, and whether it may go on from what was read before. Pure. */
import * as z from "zod";
import { inRowOrder, type PlacedFile, rowsThrough, versionOfRow } from "../../tables/row-order.ts";

/** What is read of a partition of an input: so many of its rows, in their order. */
const readInput = z.object({
  table: z.string(),
  date: z.string(),
  /** The version that the last of them came with. */
  version: z.int(),
  rows: z.int().nonnegative().default(0),
  /** How many rows came with this version and those before it. Builds of older deploys did not say: nothing goes on from them. */
  through: z.int().default(-1),
});
export const readInputs = z.array(readInput);
export type ReadInput = z.infer<typeof readInput>;

/** A partition of an input as it is published. */
export interface PublishedInput {
  readonly table: string;
  readonly date: string;
  /** Those with rows of the table, in any order. */
  readonly files: readonly PlacedFile[];
}

/** Rows [firstRow, firstRow + rows) of a file. */
export interface Piece {
  readonly table: string;
  readonly file: string;
  readonly firstRow: number;
  readonly rows: number;
}

export interface Portion {
  readonly pieces: readonly Piece[];
  readonly rows: number;
  /** What is read once these rows are. */
  readonly read: readonly ReadInput[];
  /** There are others. */
  readonly more: boolean;
}

/**
 * The next rows behind those that are read, at most `limit`; undefined where what was read is not all there any more (a rebuild, a
 * revision, a rollback, another newest partition), so that nothing can go on from it. A version adds and removes rows and its number
 * only grows, also where a rollback brings a file back: so new rows stand behind all others, and as many rows of versions up to the last
 * that was read as there were then are those that were there. In which files they stand is compaction's to say.
 */
export function nextPortion(
  read: readonly ReadInput[],
  published: readonly PublishedInput[],
  limit: number,
): Portion | undefined {
  const before = new Map(read.map((input) => [nameOf(input), input]));
  const pieces: Piece[] = [];
  const after: ReadInput[] = [];
  let left = Math.max(1, limit);
  let more = false;
  for (const { table, date, files } of published) {
    const last = before.get(nameOf({ table, date })) ?? { table, date, version: 0, rows: 0, through: 0 };
    before.delete(nameOf(last));
    if (rowsThrough(files, last.version) !== last.through || last.rows > last.through) return undefined;
    const ordered = inRowOrder(files);
    let skip = last.rows;
    let rows = last.rows;
    for (const { file, rows: ofFile } of ordered) {
      const firstRow = Math.min(skip, ofFile);
      const taken = Math.min(left, ofFile - firstRow);
      if (taken > 0) pieces.push({ table, file, firstRow, rows: taken });
      skip -= firstRow;
      left -= taken;
      rows += taken;
      if (firstRow + taken < ofFile) {
        more = true;
        break;
      }
    }
    if (rows === 0) continue;
    const version = versionOfRow(ordered, rows - 1);
    after.push({ table, date, version, rows, through: rowsThrough(files, version) });
  }
  // A partition that was read and is not any more.
  if (before.size > 0) return undefined;
  return { pieces, rows: pieces.reduce((sum, { rows }) => sum + rows, 0), read: after, more };
}

function nameOf({ table, date }: Pick<ReadInput, "table" | "date">): string {
  return `${table} ${date}`;
}
