/**
 * Which files of a partition become one. Pure. Each increment of a topic, and of a model whose rows are added to, brings files of its own,
 * however few its rows are; files that are large enough are never written again.
 */
import { inRowOrder, type PlacedFile, versionsIn } from "../../tables/row-order.ts";

export interface CompactionRule {
  /** What becomes one file has at most so many compressed bytes and rows, and as many files. */
  readonly bytes: number;
  readonly rows: number;
  readonly files: number;
  /** Its rows came with so many versions at the most: `holds` lists them, in a row of D1 and in manifests. */
  readonly versions: number;
  /** A file of fewer bytes is small. */
  readonly smallBytes: number;
  /** So many files of a partition that is closed are few enough. */
  readonly fewFiles: number;
  /** So many small ones side by side are left to a partition that is open. */
  readonly openFiles: number;
}

/**
 * A day that is built each ten minutes has 144 increments: its open partition is compacted three times, and once when it has closed. A
 * quarter of a million rows are what a step of a build takes, and 8 MB are what an isolate holds of a file (`stage.ts`). To open a
 * file takes some milliseconds, so that as many as these take no longer than their rows.
 */
export const TABLE_COMPACTION: CompactionRule = {
  bytes: 8 * 1024 * 1024,
  rows: 250_000,
  files: 250,
  versions: 10_000,
  smallBytes: 2 * 1024 * 1024,
  fewFiles: 4,
  openFiles: 32,
};

/** An older file of an open partition takes part while it is at most so many times as large as those behind it. */
const GROWTH = 4;

export interface SizedFile extends PlacedFile {
  readonly bytes: number;
}

/** Neighbours, in the order of their rows. */
export type CompactedGroup<File> = readonly [File, File, ...File[]];

/** The groups of files that each become one, in the order of their rows; none where it is not worth its while. */
export function groupsToCompact<File extends SizedFile>(
  files: readonly File[],
  closed: boolean,
  rule: CompactionRule,
): CompactedGroup<File>[] {
  const stretches = smallNeighbours(inRowOrder(files), rule);
  if (closed) return files.length <= rule.fewFiles ? [] : stretches.flatMap((stretch) => cut(stretch, rule));
  return stretches.flatMap((stretch) => (stretch.length < rule.openFiles ? [] : cut(newest(stretch), rule)));
}

/** Small files that have no larger one between them. */
function smallNeighbours<File extends SizedFile>(ordered: readonly File[], { smallBytes }: CompactionRule): File[][] {
  const stretches: File[][] = [[]];
  for (const file of ordered) {
    if (file.bytes < smallBytes) stretches.at(-1)?.push(file);
    else stretches.push([]);
  }
  return stretches;
}

/**
 * The newest of neighbours. What is older takes part only where it is not much larger than all behind it, so that a file grows by a
 * quarter each time that it is written again: a day's files are written a number of times that grows with its logarithm.
 */
function newest<File extends SizedFile>(stretch: readonly File[]): readonly File[] {
  let bytes = 0;
  let first = stretch.length;
  for (const { bytes: older } of stretch.toReversed()) {
    if (bytes > 0 && older > GROWTH * bytes) break;
    bytes += older;
    first--;
  }
  return stretch.slice(first);
}

function cut<File extends SizedFile>(stretch: readonly File[], rule: CompactionRule): CompactedGroup<File>[] {
  const groups: File[][] = [];
  let bytes = 0;
  let rows = 0;
  let versions = 0;
  for (const file of stretch) {
    const last = groups.at(-1);
    const fits =
      last !== undefined &&
      last.length < rule.files &&
      bytes + file.bytes <= rule.bytes &&
      rows + file.rows <= rule.rows &&
      versions + versionsIn(file) <= rule.versions;
    if (fits) last.push(file);
    else {
      groups.push([file]);
      bytes = 0;
      rows = 0;
      versions = 0;
    }
    bytes += file.bytes;
    rows += file.rows;
    versions += versionsIn(file);
  }
  return groups.flatMap(([first, second, ...others]): CompactedGroup<File>[] =>
    first === undefined || second === undefined ? [] : [[first, second, ...others]],
  );
}

/** The first of the groups that one run takes: together no more rows and files than one group may have, but one at least. */
export function groupsOfRun<File extends SizedFile>(
  groups: readonly CompactedGroup<File>[],
  rule: CompactionRule,
): readonly CompactedGroup<File>[] {
  let files = 0;
  let rows = 0;
  const end = groups.findIndex((group, at) => {
    files += group.length;
    rows += group.reduce((sum, file) => sum + file.rows, 0);
    return at > 0 && (files > rule.files || rows > rule.rows);
  });
  return end === -1 ? groups : groups.slice(0, end);
}
