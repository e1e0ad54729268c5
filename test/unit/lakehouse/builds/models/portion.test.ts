import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextPortion, type PublishedInput, type ReadInput } from "../../../../../lakehouse/builds/models/portion.ts";

type File = PublishedInput["files"][number];

/** What happens to one partition: a version that adds files, one that replaces all, one that takes one away or brings one back. */
const change = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("add" as const),
      rows: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("replace" as const),
      rows: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), at: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("bring back" as const), at: fc.nat(20) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("read" as const), limit: fc.integer({ min: 1, max: 12 }) }) },
);

const rowsOf = ({ file, rows }: File) => Array.from({ length: rows }, (_, row) => `${file}:${row}`);

describe("the next portion", () => {
  test("is what was not read, each row once, and nothing goes on from what is gone", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), (changes) => {
        let files: File[] = [];
        let gone: File[] = [];
        let everGone = false;
        let names = 0;
        let version = 0;
        let read: readonly ReadInput[] = [];
        let seen: string[] = [];
        for (const each of changes) {
          const made = (rows: readonly number[]) =>
            rows.map((count) => ({ file: `f${String(100 - names++).padStart(3, "0")}`, added: version, rows: count }));
          if (each.do !== "read") version++;
          if (each.do === "add") files = [...files, ...made(each.rows)];
          if (each.do === "replace") {
            gone = [...gone, ...files];
            files = made(each.rows);
          }
          if (each.do === "remove") {
            const [one] = files.slice(each.at % Math.max(1, files.length));
            gone = [...gone, ...files.filter((file) => file === one)];
            files = files.filter((file) => file !== one);
          }
          if (each.do === "bring back") {
            const [one] = gone.slice(each.at % Math.max(1, gone.length));
            gone = gone.filter((file) => file !== one);
            if (one !== undefined) files = [...files, { ...one, added: version }];
          }
          everGone ||= gone.length > 0;
          if (each.do !== "read") continue;
          const portion = nextPortion(read, [{ table: "t", date: "d", files }], each.limit);
          const there = new Set(files.flatMap(rowsOf));
          if (portion === undefined) {
            // Only where something that was read, a file without rows at least, is gone.
            const known = read[0]?.files ?? 0;
            expect(known).toBeGreaterThan(0);
            expect(everGone).toBe(true);
            read = [];
            seen = [];
            continue;
          }
          const rows = portion.pieces.flatMap(({ file, firstRow, rows: count }) =>
            Array.from({ length: count }, (_, row) => `${file}:${firstRow + row}`),
          );
          expect(rows.length).toBe(portion.rows);
          expect(rows.length).toBeLessThanOrEqual(each.limit);
          seen = [...seen, ...rows];
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen.every((row) => there.has(row))).toBe(true);
          expect(portion.more).toBe(seen.length < there.size);
          read = portion.read;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("runs over all partitions of all inputs, and another set of them is another start", () => {
    const input = (table: string, date: string, ...rows: number[]): PublishedInput => ({
      table,
      date,
      files: rows.map((count, at) => ({ file: `${table}-${date}-${at}`, added: at + 1, rows: count })),
    });
    const both = [input("a", "1", 2, 3), input("b", "1", 4)];
    const first = nextPortion([], both, 6);
    expect(first?.pieces.map(({ file, rows }) => `${file} ${rows}`)).toEqual(["a-1-0 2", "a-1-1 3", "b-1-0 1"]);
    expect(first?.more).toBe(true);
    const second = nextPortion(first?.read ?? [], both, 6);
    expect(second?.pieces).toEqual([{ table: "b", file: "b-1-0", firstRow: 1, rows: 3 }]);
    expect(second?.more).toBe(false);
    const read = second?.read ?? [];
    expect(nextPortion(read, [...both, input("a", "2", 1)], 6)?.rows).toBe(1);
    // `latest` has moved on, or a partition is published no more.
    expect(nextPortion(read, [input("a", "2", 1), input("b", "1", 4)], 6)).toBeUndefined();
    expect(nextPortion(read, [input("b", "1", 4)], 6)).toBeUndefined();
  });
});
