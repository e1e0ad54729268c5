import { describe, expect, test } from "vitest";
import { COMPACTION_POLICY, planCompactions } from "../../../../../lakehouse/upkeep/compaction/plan.ts";
import type { SmallFile } from "../../../../../sql/statements/compactions.ts";

const POLICY = { ...COMPACTION_POLICY, minFiles: 2, maxFiles: 3, maxBytes: 1_000, smallBytes: 600, maxMixedRows: 50 };
const DATE = "bronze/weather/event_date=2026-11-21/";

function file(name: string, changes: Partial<SmallFile> = {}): SmallFile {
  const place = { topic: "weather", shard: 0, shard_of: 2, incarnation: "i", rows: 10, bytes: 100 };
  return { file: `${DATE}${name}`, ...place, registered_at: "2026-11-21T12:30:00.000Z", ...changes };
}

/** The last part of each input's key, by compaction. */
function plan(files: readonly SmallFile[]) {
  return planCompactions(files, POLICY).map(({ inputs }) => inputs.map((key) => key.split("/").at(-1)));
}

describe("planCompactions", () => {
  test("files of one date, shard and hour become one, in the order of their names", () => {
    const [only, ...rest] = planCompactions([file("b"), file("a")], POLICY);
    expect(rest).toEqual([]);
    expect(only).toMatchObject({ topic: "weather", inputs: [`${DATE}a`, `${DATE}b`] });
    expect(only?.file).toMatch(/^bronze\/weather\/event_date=2026-11-21\/000-compacted-[0-9a-f]{16}\.parquet$/);
  });

  test("the name follows from the inputs, and from nothing else", () => {
    const name = (files: readonly SmallFile[]) => planCompactions(files, POLICY)[0]?.file;
    expect(name([file("a"), file("b")])).toBe(name([file("b"), file("a", { rows: 11 })]));
    expect(name([file("a"), file("b")])).not.toBe(name([file("a"), file("c")]));
  });

  test("dates, shards, shard counts, incarnations and hours stay apart", () => {
    const other = [
      file("b", { file: "bronze/weather/event_date=2026-11-22/b" }),
      file("b", { shard: 1 }),
      file("b", { shard_of: 4 }),
      file("b", { incarnation: "j" }),
      file("b", { registered_at: "2026-11-21T13:00:00.000Z" }),
    ];
    for (const second of other) expect(plan([file("a"), second])).toEqual([]);
  });

  test("too few and too large files are left alone", () => {
    expect(plan([file("a")])).toEqual([]);
    expect(plan([file("a"), file("b", { bytes: 601 })])).toEqual([]);
  });

  test("a group is cut by files, by bytes, and by rows where they have several dates", () => {
    expect(plan(["a", "b", "c", "d", "e"].map((name) => file(name)))).toEqual([
      ["a", "b", "c"],
      ["d", "e"],
    ]);
    expect(plan(["a", "b", "c", "d"].map((name) => file(name, { bytes: 500 })))).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
    const mixed = (name: string) => file(name, { file: `bronze_mixed/weather/${name}`, rows: 25 });
    expect(plan(["a", "b", "c"].map(mixed))).toEqual([["a", "b"]]);
  });
});
