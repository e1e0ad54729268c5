import { describe, expect, test } from "vitest";
import type { LibraryCheck } from "../../../../../contracts/contract.ts";
import { separate } from "../../../../../lakehouse/builds/gates/quarantine.ts";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../../../../lakehouse/engine/columns/value.ts";
import { batchOf, rowsOf } from "../../engine/columns/column-of.ts";

const FIELDS: readonly Field[] = [
  { name: "id", type: { kind: "utf8" }, nullable: false },
  { name: "kind", type: { kind: "utf8" }, nullable: true },
  { name: "n", type: { kind: "int32" }, nullable: true },
];

function check(name: string, metric: LibraryCheck["metric"], more: Partial<LibraryCheck>): LibraryCheck {
  return {
    name,
    layer: "silver",
    metric,
    columns: [],
    values: [],
    unit: "rows",
    bound: { op: "mustBe", value: 0 },
    onFail: "quarantine",
    ...more,
  };
}

const known = check("known kinds", "invalidValues", { columns: ["kind"], values: ["x", "y"] });
const counted = check("counted", "nullValues", { columns: ["n"] });
const once = check("once", "duplicateValues", { columns: ["kind"] });

function split(checks: readonly LibraryCheck[], rows: readonly (readonly [string, Value, Value])[]) {
  const candidate = batchOf(
    FIELDS,
    rows.map(([id, kind, n]) => ({ id, kind, n })),
  );
  const { kept, quarantined, results } = separate(checks, candidate);
  return {
    candidate,
    batch: kept,
    kept: rowsOf([kept]).map((row) => row["id"]),
    quarantined: rowsOf([quarantined]).map((row) => [row["id"], row["_failed_checks"]]),
    results: results.map(({ check: { name }, measured, passed, failingRows }) => [name, measured, passed, failingRows]),
  };
}

describe("quarantine", () => {
  test("takes out the rows that fail, with the names of all checks they failed, in the candidate's order", () => {
    const outcome = split(
      [known, counted],
      [
        ["a", "x", 1],
        ["b", "z", null],
        ["c", "y", 2],
        ["d", null, 3],
        ["e", "x", null],
      ],
    );
    expect(outcome.kept).toEqual(["a", "c", "d"]);
    expect(outcome.quarantined).toEqual([
      ["b", ["known kinds", "counted"]],
      ["e", ["counted"]],
    ]);
    // Row numbers are of the quarantine's own file.
    expect(outcome.results).toEqual([
      ["known kinds", 1, false, [0]],
      ["counted", 2, false, [0, 1]],
    ]);
  });

  test("judges duplicates among the rows that are left, so that a bad first row does not cost a good second", () => {
    const rows = [
      ["a", "x", null],
      ["b", "x", 1],
      ["c", "x", 2],
    ] as const;
    for (const checks of [
      [counted, once],
      [once, counted],
    ]) {
      const outcome = split(checks, rows);
      expect(outcome.kept).toEqual(["b"]);
      expect(outcome.quarantined).toEqual([
        ["a", ["counted"]],
        ["c", ["once"]],
      ]);
    }
  });

  test("leaves every row where the bound holds, and takes every failing one where it does not", () => {
    const rows = [
      ["a", "z", 1],
      ["b", "z", 2],
      ["c", "x", 3],
      ["d", "x", 4],
    ] as const;
    const lenient = (value: number) => ({
      ...known,
      unit: "percent" as const,
      bound: { op: "mustBeLessOrEqualTo" as const, value },
    });
    expect(split([lenient(50)], rows).quarantined).toEqual([]);
    expect(split([lenient(50)], rows).results).toEqual([["known kinds", 50, true, []]]);
    expect(split([lenient(49)], rows).kept).toEqual(["c", "d"]);
  });

  test("does nothing for checks that say block or warn, and copies nothing when nothing fails", () => {
    const rows = [["a", "z", null]] as const;
    const others = [known, counted, once].map((one) => ({ ...one, onFail: "warn" as const }));
    const outcome = split(others, rows);
    expect(outcome.results).toEqual([]);
    expect(outcome.batch).toBe(outcome.candidate);
  });
});
