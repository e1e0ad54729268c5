/** Quarantine over arbitrary rows and checks: no row is lost or doubled, and what is kept would be kept again. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { LibraryCheck } from "../../contracts/contract.ts";
import { separate } from "../../lakehouse/builds/gates/quarantine.ts";
import { valueAt } from "../../lakehouse/engine/columns/value.ts";
import { FAILED_CHECKS_FIELD } from "../../lakehouse/tables/quarantine.ts";
import { batchOf, rowsOf } from "../unit/lakehouse/engine/columns/column-of.ts";

const FIELDS = [
  { name: "row", type: { kind: "int32" }, nullable: false },
  { name: "a", type: { kind: "utf8" }, nullable: true },
  { name: "b", type: { kind: "utf8" }, nullable: true },
] as const;

const value = fc.option(fc.constantFrom("x", "y", "z", ""), { nil: null });
const rows = fc
  .array(fc.record({ a: value, b: value }), { maxLength: 40 })
  .map((all) => all.map((row, index) => ({ ...row, row: index })));

const columns = fc.subarray(["a", "b"], { minLength: 1 });
const check: fc.Arbitrary<Omit<LibraryCheck, "name">> = fc.record({
  metric: fc.constantFrom("nullValues", "missingValues", "invalidValues", "duplicateValues"),
  columns,
  values: fc.subarray(["x", "y", ""]),
  layer: fc.constant("silver"),
  unit: fc.constant("rows"),
  bound: fc.oneof(
    fc.constant({ op: "mustBe" as const, value: 0 }),
    fc.record({ op: fc.constant("mustBeLessOrEqualTo" as const), value: fc.nat(4) }),
  ),
  onFail: fc.constantFrom("quarantine", "quarantine", "warn", "block"),
});
const checks = fc
  .array(check, { maxLength: 4 })
  .map((all) => all.map((one, index): LibraryCheck => ({ ...one, name: `check ${index}` })));

test("kept and quarantined rows are the candidate's, each once and in its order, and each has its reasons", () => {
  fc.assert(
    fc.property(rows, checks, (all, own) => {
      const { kept, quarantined, results } = separate(own, batchOf(FIELDS, all));
      const numbers = (of: typeof kept) => rowsOf([of]).map((row) => Number(row["row"]));
      const [stay, leave] = [numbers(kept), numbers(quarantined)];
      expect([...stay, ...leave].sort((a, b) => a - b)).toEqual(all.map(({ row }) => row));
      expect(stay).toEqual(stay.toSorted((a, b) => a - b));
      expect(leave).toEqual(leave.toSorted((a, b) => a - b));
      const reasons = quarantined.columns[quarantined.fields.indexOf(FAILED_CHECKS_FIELD)];
      const failing = new Set(results.filter(({ passed }) => !passed).map((result) => result.check.name));
      leave.forEach((_, index) => {
        const names = reasons === undefined ? [] : valueAt(reasons, index);
        expect(names).not.toEqual([]);
        for (const name of Array.isArray(names) ? names : []) expect(failing).toContain(name);
      });
    }),
  );
});

test("what was kept passes the same checks with nothing more to take out", () => {
  fc.assert(
    fc.property(rows, checks, (all, own) => {
      const { kept } = separate(own, batchOf(FIELDS, all));
      const again = separate(own, kept);
      expect(again.quarantined.length).toBe(0);
      expect(again.results.every(({ passed }) => passed)).toBe(true);
    }),
  );
});
