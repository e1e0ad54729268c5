/** When a check is judged that does not say. */
import { expect, test } from "vitest";
import { type AskedCheck, allowsNone, usualTime } from "../../../contracts/check-time.ts";
import type { Bound } from "../../../contracts/contract.ts";

const of = (op: Exclude<Bound["op"], "mustBeBetween" | "mustNotBeBetween">, value: number): Bound => ({ op, value });
const asked = (bound: Bound, more: Partial<AskedCheck> = {}): AskedCheck => {
  return { metric: "nullValues", unit: "rows", bound, ...more };
};

test.each([
  // One row breaks it.
  [asked(of("mustBe", 0)), "increment"],
  [asked(of("mustBeLessOrEqualTo", 0.5)), "increment"],
  [asked(of("mustBeLessThan", 1)), "increment"],
  [asked(of("mustBe", 0), { unit: "percent" }), "increment"],
  // Others may make up for it, or are still to come.
  [asked(of("mustBe", 3)), "closing"],
  [asked(of("mustNotBe", 0)), "closing"],
  [asked(of("mustBeLessThan", 2)), "closing"],
  [asked(of("mustBeLessThan", 1), { unit: "percent" }), "closing"],
  [asked(of("mustBeLessOrEqualTo", 5), { unit: "percent" }), "closing"],
  [asked(of("mustBeGreaterThan", 0)), "closing"],
  [asked({ op: "mustBeBetween", value: [0, 1] }), "closing"],
  // A table that may not be empty; how many rows a day has.
  [asked(of("mustBeGreaterThan", 0), { metric: "rowCount" }), "increment"],
  [asked(of("mustBeGreaterOrEqualTo", 1), { metric: "rowCount" }), "increment"],
  [asked(of("mustNotBe", 0), { metric: "rowCount" }), "increment"],
  [asked(of("mustBeGreaterThan", 1), { metric: "rowCount" }), "closing"],
  [asked(of("mustBe", 0), { metric: "rowCount" }), "closing"],
  [asked(of("mustBeLessThan", 1_000), { metric: "rowCount" }), "closing"],
  // A query reads the whole date.
  [asked(of("mustBe", 0), { metric: "sql" }), "closing"],
] as const)("%j: %s", (check, time) => {
  expect(usualTime(check)).toBe(time);
});

test("a bound allows none where no row keeps it and one breaks it", () => {
  const holds = ({ op, value }: Bound, n: number) =>
    op === "mustBe" ? n === value : op === "mustBeLessThan" ? n < value : op === "mustBeLessOrEqualTo" && n <= value;
  for (const op of ["mustBe", "mustBeLessThan", "mustBeLessOrEqualTo"] as const)
    for (const value of [-1, 0, 0.5, 1, 1.5, 2]) {
      const bound = of(op, value);
      const none = [1, 2, 3].every((n) => !holds(bound, n)) && holds(bound, 0);
      expect([op, value, allowsNone({ unit: "rows", bound })]).toEqual([op, value, none]);
    }
});
