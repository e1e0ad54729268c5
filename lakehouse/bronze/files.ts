/** How the rows of a flush are laid into files: one per date, and one for all the rare old dates together. */
import type { Contract } from "../../contracts/contract.ts";
import { type FlushName, mixedKey, partitionKey } from "./table.ts";

/** A date with fewer rows than this shares a file with the other rare ones, so that a storm of old dates makes few files (PROTOCOLS 2). */
export const RARE_DATE_ROWS = 1_000;

/** The rows of one date inside a file: [firstRow, firstRow + rows). */
export interface FileDate {
  readonly day: number;
  readonly firstRow: number;
  readonly rows: number;
}

export interface PlannedFile {
  readonly key: string;
  /** Ascending. */
  readonly dates: readonly FileDate[];
  readonly rows: number;
}

/** How a flush is laid into files. A flush keeps its first layout (`layout.ts`), so a deploy may change this policy. */
export interface LayoutPolicy {
  /** So many of the newest dates have files of their own, however few rows they have: readers find today in its hive path. */
  readonly ownNewest: number;
  /** A date with fewer rows is rare. */
  readonly rareRows: number;
  /**
   * Dates that one shared file holds at the most: its layout must fit the metadata of its object. R2 takes 8,192 bytes, a local platform
   * 2,048; a date takes twelve at most. A flush of more dates in one file could never be put, and its rows would stay buffered for good.
   */
  readonly datesAFile: number;
}

export const LAYOUT_POLICY: LayoutPolicy = { ownNewest: 2, rareRows: RARE_DATE_ROWS, datesAFile: 150 };

/** The policy of the deploys that stored no layouts: what they froze or put is laid out by it for good. */
export const UNSTORED_POLICY: LayoutPolicy = { ownNewest: 0, rareRows: RARE_DATE_ROWS, datesAFile: 2_000 };

/** Lays out a flush with so many rows of each day. A flush of one date is one file in the hive path, however small. */
export function planFiles(
  contract: Contract,
  flush: FlushName,
  days: ReadonlyMap<number, { readonly rows: number }>,
  policy: LayoutPolicy = LAYOUT_POLICY,
): PlannedFile[] {
  const ordered = [...days].sort(([a], [b]) => a - b).map(([day, { rows }]) => ({ day, rows }));
  const newest = new Set(ordered.slice(Math.max(0, ordered.length - policy.ownNewest)));
  const rare = ordered.filter((date) => date.rows < policy.rareRows && !newest.has(date));
  // A single rare date needs no shared file: its own one costs the same and stands where readers look first.
  const shared = rare.length > 1 ? rare : [];
  const sharedDays = new Set(shared);
  const files: PlannedFile[] = ordered
    .filter((date) => !sharedDays.has(date))
    .map(({ day, rows }) => plannedFile(partitionKey(contract, day, flush), [{ day, rows }]));
  for (let part = 0; part * policy.datesAFile < shared.length; part++) {
    const dates = shared.slice(part * policy.datesAFile, (part + 1) * policy.datesAFile);
    files.push(plannedFile(mixedKey(flush, part), dates));
  }
  return files;
}

/** A file that holds the rows of these dates one after another. `dates`: ascending. */
export function plannedFile(
  key: string,
  dates: readonly { readonly day: number; readonly rows: number }[],
): PlannedFile {
  let rows = 0;
  const placed = dates.map((date) => {
    const firstRow = rows;
    rows += date.rows;
    return { day: date.day, firstRow, rows: date.rows };
  });
  return { key, dates: placed, rows };
}

/**
 * Where the row groups of a file start: each holds whole dates, as few as make `RARE_DATE_ROWS` rows. A reader of one date
 * reads little more than it wants, and the footer, which all of them read, stays small.
 */
export function rowGroupStarts(dates: readonly FileDate[]): number[] {
  const starts: number[] = [];
  for (const { firstRow } of dates) {
    const last = starts.at(-1);
    if (last === undefined || firstRow - last >= RARE_DATE_ROWS) starts.push(firstRow);
  }
  return starts;
}
