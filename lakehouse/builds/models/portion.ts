/** Which rows of its inputs a step of a model reads, and whether it may go on from what was read before. Pure. */
import * as z from "zod";

/** What is read of a partition of an input: its files by version and name, so many rows of the last one. */
const readInput = z.object({
  table: z.string(),
  date: z.string(),
  /** The last file that is read, and the version that it came with. */
  version: z.int(),
  file: z.string(),
  row: z.int().nonnegative(),
  /** How many files these are. */
  files: z.int().nonnegative(),
});
export const readInputs = z.array(readInput);
export type ReadInput = z.infer<typeof readInput>;

/** A partition of an input as it is published. */
export interface PublishedInput {
  readonly table: string;
  readonly date: string;
  /** Those with rows of the table, in any order. */
  readonly files: readonly { readonly file: string; readonly added: number; readonly rows: number }[];
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
 * revision, a rollback, another newest partition), so that nothing can go on from it. A version adds and removes files and its number
 * only grows, also where a rollback brings a file back: so new files stand behind all others, and as many files as were read are those
 * that were read.
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
    let last = before.get(nameOf({ table, date })) ?? { table, date, version: 0, file: "", row: 0, files: 0 };
    before.delete(nameOf(last));
    const ordered = files.toSorted(inOrder);
    const old = ordered.filter((file) => inOrder(file, { added: last.version, file: last.file }) <= 0);
    const end = old.at(-1);
    if (old.length !== last.files) return undefined;
    if (end !== undefined && (end.file !== last.file || end.added !== last.version || end.rows < last.row))
      return undefined;
    for (const { file, added, rows } of ordered.slice(Math.max(0, last.files - 1))) {
      const isLast = file === last.file && added === last.version;
      const firstRow = isLast ? last.row : 0;
      const taken = Math.min(left, rows - firstRow);
      if (taken === 0 && rows > firstRow) {
        more = true;
        break;
      }
      if (taken > 0) pieces.push({ table, file, firstRow, rows: taken });
      left -= taken;
      last = { table, date, version: added, file, row: firstRow + taken, files: last.files + (isLast ? 0 : 1) };
      if (last.row < rows) {
        more = true;
        break;
      }
    }
    if (last.files > 0) after.push(last);
  }
  // A partition that was read and is not any more.
  if (before.size > 0) return undefined;
  return { pieces, rows: pieces.reduce((sum, { rows }) => sum + rows, 0), read: after, more };
}

function nameOf({ table, date }: Pick<ReadInput, "table" | "date">): string {
  return `${table} ${date}`;
}

function inOrder(
  a: { readonly added: number; readonly file: string },
  b: { readonly added: number; readonly file: string },
): number {
  return a.added - b.added || (a.file < b.file ? -1 : a.file > b.file ? 1 : 0);
}
