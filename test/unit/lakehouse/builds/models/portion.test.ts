import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  nextPortion,
  type PublishedInput,
  type ReadInput,
  readInputs,
} from "../../../../../lakehouse/builds/models/portion.ts";
import { holdsOf, inRowOrder } from "../../../../../lakehouse/tables/row-order.ts";

type File = PublishedInput["files"][number];

/** What happens to one partition: a version that adds files, one that replaces all, one that takes one away or brings one back, one that puts neighbours together. */
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
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("compact" as const),
      at: fc.nat(20),
      count: fc.integer({ min: 2, max: 8 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("read" as const), limit: fc.integer({ min: 1, max: 12 }) }) },
);

/** The rows of every file that ever was, by name. */
type Contents = Map<string, readonly string[]>;

describe("the next portion", () => {
  test("is what was not read, each row once, and nothing goes on from what is gone", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), (changes) => {
        let files: File[] = [];
        let gone: File[] = [];
        let everGone = false;
        const contents: Contents = new Map();
        let names = 0;
        let version = 0;
        let read: readonly ReadInput[] = [];
        let seen: string[] = [];
        for (const each of changes) {
          const newName = () => `f${String(100 - names++).padStart(3, "0")}`;
          const made = (rows: readonly number[]) =>
            rows.map((count) => {
              const file = newName();
              contents.set(
                file,
                Array.from({ length: count }, (_, row) => `${file}:${row}`),
              );
              return { file, added: version, rows: count };
            });
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
            // Its rows come with the rollback, whatever it held.
            if (one !== undefined) files = [...files, { file: one.file, added: version, rows: one.rows }];
          }
          if (each.do === "compact") {
            const ordered = inRowOrder(files);
            const [first, ...others] = ordered.slice(each.at % Math.max(1, files.length)).slice(0, each.count);
            if (first === undefined) continue;
            const group = [first, ...others] as const;
            const file = newName();
            const rows = group.flatMap((one) => contents.get(one.file) ?? []);
            contents.set(file, rows);
            files = files.filter((one) => !group.includes(one));
            files.push({ file, added: version, rows: rows.length, holds: holdsOf(group) });
            continue;
          }
          everGone ||= each.do !== "add" && each.do !== "read";
          if (each.do !== "read") continue;
          const portion = nextPortion(read, [{ table: "t", date: "d", files }], each.limit);
          const there = new Set(files.flatMap(({ file }) => contents.get(file) ?? []));
          if (portion === undefined) {
            // Only where something that was read is gone; compaction alone lets nothing go.
            const known = read[0]?.rows ?? 0;
            expect(known).toBeGreaterThan(0);
            expect(everGone).toBe(true);
            read = [];
            seen = [];
            continue;
          }
          const rows = portion.pieces.flatMap(({ file, firstRow, rows: count }) =>
            (contents.get(file) ?? []).slice(firstRow, firstRow + count),
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

  test("goes on within a file that compaction made of what was read and what was not", () => {
    const files: File[] = [3, 2, 4, 5].map((rows, at) => ({ file: `${at}`, added: at + 1, rows }));
    const read = nextPortion([], [{ table: "t", date: "d", files }], 6)?.read ?? [];
    const [, second, third, fourth] = files;
    const put = { file: "z", added: 9, rows: 6, holds: holdsOf([second!, third!]) };
    expect(put.holds).toEqual({
      version: 2,
      file: "1",
      rows: [
        [2, 2],
        [3, 4],
      ],
    });
    const compacted = [files[0]!, put, fourth!];
    expect(nextPortion(read, [{ table: "t", date: "d", files: compacted }], 4)?.pieces).toEqual([
      { table: "t", file: "z", firstRow: 3, rows: 3 },
      { table: "t", file: "3", firstRow: 0, rows: 1 },
    ]);
  });

  test("progress of a deploy from before begins anew", () => {
    const [old] = readInputs.parse([{ table: "t", date: "d", version: 1, file: "0", row: 3, files: 1 }]);
    expect(
      nextPortion([old!], [{ table: "t", date: "d", files: [{ file: "0", added: 1, rows: 3 }] }], 6),
    ).toBeUndefined();
  });
});
