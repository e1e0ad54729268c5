/**
 * The order of a partition's rows, which is theirs for good: by the version that they came with, by the file that they came in, as they
 * stand there. Compaction puts files with neighbouring rows together and leaves each row its place, so that whoever has read the first
 * so many rows of a partition goes on behind them whatever files they stand in by now. Pure.
 */
import type { Holds } from "../../sql/statements/data-files.ts";

export interface PlacedFile {
  readonly file: string;
  /** The version that it came with. */
  readonly added: number;
  readonly rows: number;
  /** Of a file that compaction made: where its rows are from. */
  readonly holds?: Holds | undefined;
}

/** Files in the order of their rows. */
export function inRowOrder<File extends PlacedFile>(files: readonly File[]): File[] {
  return files.toSorted((a, b) => {
    const [one, other] = [placeOf(a), placeOf(b)];
    return one.version - other.version || (one.file < other.file ? -1 : one.file > other.file ? 1 : 0);
  });
}

/** Where a file stands: the version and the file that its first row came with. */
function placeOf({ file, added, holds }: PlacedFile): Pick<Holds, "version" | "file"> {
  return holds ?? { version: added, file };
}

/** How many rows of a file came with which version, in their order. */
function stretchesOf({ added, rows, holds }: PlacedFile): Holds["rows"] {
  return holds?.rows ?? [[added, rows]];
}

/** How many entries a file's `holds` has, or will have among others of a compacted file: one for each version that rows of it came with. */
export function versionsIn(file: PlacedFile): number {
  return stretchesOf(file).length;
}

/** How many rows came with `version` and those before it. */
export function rowsThrough(files: readonly PlacedFile[], version: number): number {
  let rows = 0;
  for (const file of files) for (const [of, count] of stretchesOf(file)) if (of <= version) rows += count;
  return rows;
}

/** The version that the row with this number came with; 0 where there are fewer. `ordered`: `inRowOrder`. */
export function versionOfRow(ordered: readonly PlacedFile[], row: number): number {
  let end = 0;
  for (const file of ordered) {
    for (const [version, count] of stretchesOf(file)) {
      end += count;
      if (row < end) return version;
    }
  }
  return 0;
}

/** What a file holds in which these are put together, one behind the other. They are neighbours in `inRowOrder`. */
export function holdsOf(neighbours: readonly [PlacedFile, ...PlacedFile[]]): Holds {
  const rows: [number, number][] = [];
  for (const [version, count] of neighbours.flatMap(stretchesOf)) {
    const last = rows.at(-1);
    if (last?.[0] === version) last[1] += count;
    else if (count > 0) rows.push([version, count]);
  }
  const { version, file } = placeOf(neighbours[0]);
  return { version, file, rows };
}
