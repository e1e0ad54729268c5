import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holdsOf, inRowOrder } from "../../../../../lakehouse/tables/row-order.ts";
import {
  groupsOfRun,
  groupsToCompact,
  type SizedFile,
  TABLE_COMPACTION,
} from "../../../../../lakehouse/upkeep/table-compaction/plan.ts";

const KB = 1024;
const MB = 1024 * KB;

/** Files of these sizes, one after the other; a row has a hundred bytes. */
const sized = (...bytes: number[]): SizedFile[] =>
  bytes.map((size, at) => ({ file: `f${at}`, added: at + 1, bytes: size, rows: Math.ceil(size / 100) }));
const named = (files: readonly SizedFile[], closed: boolean) =>
  groupsToCompact(files, closed, TABLE_COMPACTION).map((group) => group.map(({ file }) => file).join(" "));

describe("a partition that is closed", () => {
  test("keeps a few files, whatever their sizes", () => {
    expect(named(sized(3 * MB, KB, KB, KB), true)).toEqual([]);
    expect(named(sized(3 * MB, KB, KB, KB, KB), true)).toEqual(["f1 f2 f3 f4"]);
  });

  test("has small neighbours put together; large files are never written again", () => {
    expect(named(sized(KB, KB, 2 * MB, KB, KB, KB, 9 * MB, KB), true)).toEqual(["f0 f1", "f3 f4 f5"]);
    expect(named(sized(8 * MB, KB, 8 * MB, KB, 8 * MB, KB), true)).toEqual([]);
  });

  test("gives files of some 8 MB, and of no more rows than a step takes", () => {
    const { bytes, rows } = TABLE_COMPACTION;
    const groups = groupsToCompact(sized(...Array.from({ length: 12 }, () => 1.9 * MB)), true, TABLE_COMPACTION);
    expect(groups.map((group) => group.length)).toEqual([4, 4, 4]);
    for (const group of groups) expect(group.reduce((sum, file) => sum + file.bytes, 0)).toBeLessThanOrEqual(bytes);
    const many = sized(KB, KB, KB, KB, KB, KB).map((file) => ({ ...file, rows: rows / 2 }));
    expect(named(many, true)).toEqual(["f0 f1", "f2 f3", "f4 f5"]);
    // A file lists the versions that its rows came with: a row of D1 has room for so many.
    const half = TABLE_COMPACTION.versions / 2;
    const trickled = sized(KB, KB, KB, KB, KB).map((file) => {
      const first = file.added * 1_000_000;
      const listed = Array.from({ length: half }, (_, n): [number, number] => [first + n, 1]);
      return { ...file, rows: half, holds: { version: first, file: file.file, rows: listed } };
    });
    expect(named(trickled, true)).toEqual(["f0 f1", "f2 f3"]);
    const [two] = groupsToCompact(trickled, true, TABLE_COMPACTION);
    if (two === undefined) throw new Error("nothing is put together");
    expect(JSON.stringify(holdsOf(two)).length).toBeLessThan(500_000);
    // One run takes as many rows as one group may have.
    expect(groupsOfRun(groupsToCompact(many, true, TABLE_COMPACTION), TABLE_COMPACTION)).toHaveLength(1);
    const few = groupsToCompact(sized(KB, KB, 3 * MB, KB, KB), true, TABLE_COMPACTION);
    expect(groupsOfRun(few, TABLE_COMPACTION)).toEqual(few);
  });
});

describe("a partition that is open", () => {
  test("is left alone until many small files stand side by side", () => {
    expect(named(sized(...Array.from({ length: 31 }, () => KB)), false)).toEqual([]);
    expect(groupsToCompact(sized(...Array.from({ length: 32 }, () => KB)), false, TABLE_COMPACTION)[0]).toHaveLength(
      32,
    );
    const cut = [...Array.from({ length: 20 }, () => KB), 3 * MB, ...Array.from({ length: 20 }, () => KB)];
    expect(named(sized(...cut), false)).toEqual([]);
  });

  test("has an older file of it only where that is not much larger than what came since", () => {
    const new30 = Array.from({ length: 30 }, () => KB);
    expect(groupsToCompact(sized(500 * KB, 100 * KB, ...new30), false, TABLE_COMPACTION)[0]).toHaveLength(32);
    expect(groupsToCompact(sized(900 * KB, 130 * KB, ...new30), false, TABLE_COMPACTION)[0]).toHaveLength(30);
  });
});

/** A day of increments with a look at its files every so often, and one when it has closed. */
function day(increments: readonly number[], each: number) {
  let files: SizedFile[] = [];
  let written = 0;
  let compactions = 0;
  let most = 0;
  let version = 0;
  const look = (closed: boolean): boolean => {
    const groups = groupsOfRun(groupsToCompact(files, closed, TABLE_COMPACTION), TABLE_COMPACTION);
    if (groups.length === 0) return false;
    version++;
    compactions++;
    for (const [n, group] of groups.entries()) {
      const bytes = group.reduce((sum, file) => sum + file.bytes, 0);
      const rows = group.reduce((sum, file) => sum + file.rows, 0);
      files = files.filter((file) => !group.includes(file));
      files.push({ file: `c${version}-${n}`, added: version, bytes, rows, holds: holdsOf(group) });
      written += bytes;
    }
    return true;
  };
  for (const [n, bytes] of increments.entries()) {
    version++;
    files.push({ file: `f${version}`, added: version, bytes, rows: Math.ceil(bytes / 100) });
    most = Math.max(most, files.length);
    if ((n + 1) % each === 0) look(false);
  }
  let ends = 0;
  while (look(true)) ends++;
  return { files, written, compactions, most, ends };
}

describe("a day", () => {
  test("of a quiet topic that is built each ten minutes is compacted four times, and ends in one file", () => {
    const { files, compactions, most, written } = day(
      Array.from({ length: 144 }, () => 3 * KB),
      6,
    );
    expect(files).toHaveLength(1);
    expect(compactions).toBe(4);
    expect(most).toBeLessThan(40);
    expect(written).toBeLessThan(4 * 144 * 3 * KB);
  });

  test("ends with few small files, keeps the order of its rows, and is written a number of times that is its logarithm", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            { weight: 6, arbitrary: fc.integer({ min: 300, max: 20 * KB }) },
            { weight: 1, arbitrary: fc.integer({ min: 20 * KB, max: 9 * MB }) },
          ),
          { minLength: 1, maxLength: 600, size: "max" },
        ),
        fc.integer({ min: 1, max: 60 }),
        (increments, each) => {
          const { files, written, most, ends } = day(increments, each);
          const total = increments.reduce((sum, bytes) => sum + bytes, 0);
          const large = increments.filter((bytes) => bytes >= TABLE_COMPACTION.smallBytes).length;
          // Between two large files small ones leave one, or one for each 8 MB.
          expect(files.length).toBeLessThanOrEqual(Math.max(4, 2 * large + 1 + Math.ceil(total / (6 * MB))));
          expect(ends).toBeLessThanOrEqual(large + 3 + Math.ceil(total / (1 * MB)));
          expect(most - 2 * large).toBeLessThanOrEqual((large + 1) * (TABLE_COMPACTION.openFiles + 12) + each);
          expect(written).toBeLessThanOrEqual(total * (2 + 3 * Math.log2(1 + increments.length)));
          const versions = inRowOrder(files).flatMap((file) => file.holds?.rows.map(([of]) => of) ?? [file.added]);
          expect(versions).toEqual(versions.toSorted((a, b) => a - b));
          expect(files.reduce((sum, file) => sum + file.rows, 0)).toBe(
            increments.reduce((sum, bytes) => sum + Math.ceil(bytes / 100), 0),
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});
