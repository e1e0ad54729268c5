import fc from "fast-check";
import { expect, test } from "vitest";
import { createExtreme } from "../../../../../lakehouse/engine/aggregates/extremes.ts";
import { valueAt } from "../../../../../lakehouse/engine/columns/value.ts";
import { columnOf } from "../columns/column-of.ts";

test("the greatest text of a group stands, however often longer and shorter ones replaced it", () => {
  const text = fc
    .tuple(fc.constantFrom("a", "b", "é", "zz"), fc.nat({ max: 900 }))
    .map(([unit, times]) => unit.repeat(times));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.option(text), fc.nat({ max: 4 })), { maxLength: 300 }),
      fc.integer({ min: 1, max: 50 }),
      (rows, cut) => {
        const greatest = createExtreme(true, { kind: "utf8" });
        const merged = createExtreme(true, { kind: "utf8" });
        for (let start = 0; start < rows.length; start += cut) {
          const part = rows.slice(start, start + cut);
          const column = columnOf(
            { kind: "utf8" },
            part.map(([value]) => value),
          );
          const groups = Int32Array.from(part, ([, group]) => group);
          greatest.update([column], groups, 5);
          const own = createExtreme(true, { kind: "utf8" });
          own.update([column], groups, 5);
          merged.merge(own.save(0, 5), Int32Array.of(0, 1, 2, 3, 4), 5);
        }
        for (const result of [greatest.finish(5), merged.finish(5)]) {
          for (let group = 0; group < 5; group++) {
            const values = rows.flatMap(([value, at]) => (at === group && value !== null ? [Buffer.from(value)] : []));
            const best = values.reduce<Buffer | undefined>(
              (held, value) => (held === undefined || Buffer.compare(value, held) > 0 ? value : held),
              undefined,
            );
            expect(valueAt(result, group)).toBe(best?.toString() ?? null);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("a batch costs its rows, not the groups that are there", () => {
  const least = createExtreme(false, { kind: "int64" });
  const groups = 100_000;
  least.update(
    [
      columnOf(
        { kind: "int64" },
        Array.from({ length: groups }, (_, i) => BigInt(i)),
      ),
    ],
    Int32Array.from({ length: groups }, (_, i) => i),
    groups,
  );
  const one = columnOf({ kind: "int64" }, [-1n]);
  const before = process.cpuUsage().user;
  for (let batch = 0; batch < 2_000; batch++) least.update([one], Int32Array.of(batch), groups);
  // Copying 100,000 values a batch takes 100 times this.
  expect(process.cpuUsage(undefined).user - before).toBeLessThan(500_000);
  expect(valueAt(least.finish(groups), 1_999)).toBe(-1n);
});
