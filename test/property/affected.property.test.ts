/** What a commit makes stale, against the plain question: which partitions read it? */
import fc from "fast-check";
import { expect, test } from "vitest";
import { affected, type Dependency } from "../../lakehouse/builds/planning/affected.ts";
import {
  addDays,
  datesRead,
  firstDayOf,
  type Grain,
  ONLY_PARTITION,
  type Relation,
} from "../../lakehouse/engine/ir/relation.ts";

const relation: fc.Arbitrary<Relation> = fc.oneof(
  fc.constantFrom<Relation>({ kind: "same" }, { kind: "all" }, { kind: "latest" }),
  fc.constantFrom<Relation>({ kind: "within", unit: "week" }, { kind: "within", unit: "month" }),
  fc.record({ kind: fc.constantFrom("last" as const, "next" as const), days: fc.integer({ min: 2, max: 40 }) }),
);
/** From before a leap day to behind a year's end. */
const day = fc.integer({ min: 0, max: 400 }).map((days) => addDays("2024-02-01", days));
const model = fc.record({ name: fc.constantFrom("a", "b", "c"), relation, one: fc.boolean() });

function grainOf({ relation: own, one }: { relation: Relation; one: boolean }): Grain {
  if (own.kind === "within") return own.unit;
  return one && (own.kind === "all" || own.kind === "latest") ? "one" : "day";
}

/** Every partition that the model could have around a date. */
function partitionsOf(grain: Grain, around: string): readonly string[] {
  if (grain === "one") return [ONLY_PARTITION.date];
  const days = Array.from({ length: 160 }, (_, at) => addDays(around, at - 80));
  return grain === "day" ? days : [...new Set(days.map((each) => firstDayOf(grain, each)))];
}

test("the partitions that a commit makes stale are those that read it", () => {
  fc.assert(
    fc.property(
      fc.array(model, { maxLength: 5 }),
      day,
      fc.uniqueArray(fc.integer({ min: -70, max: 70 }), { maxLength: 5 }),
      (models, date, back) => {
        const recent = back.map((days) => addDays(date, days));
        const [open, closed] = [recent.slice(1), recent.slice(0, 1)];
        const dependencies = models.map(
          (each): Dependency => ({ domain: each.name, grain: grainOf(each), input: "t", relation: each.relation }),
        );
        const expected = new Set<string>();
        const certain = new Set<string>();
        const pinned = new Set<string>();
        for (const { domain, grain, relation: own } of dependencies) {
          for (const partition of partitionsOf(grain, date)) {
            const read = datesRead(own, partition);
            const reads =
              typeof read === "string"
                ? grain === "one" || recent.includes(partition)
                : read.from <= date && date <= read.to;
            if (!reads) continue;
            expected.add(`${domain} ${partition}`);
            if (typeof read === "string" && grain !== "one" && closed.includes(partition))
              pinned.add(`${domain} ${partition}`);
            const begins = typeof read === "string" ? grain === "one" : own.kind === "within" || partition === date;
            if (begins) certain.add(`${domain} ${partition}`);
          }
        }
        const stale = affected(
          [...dependencies, { domain: "z", grain: "day", input: "u", relation: { kind: "same" } }],
          "t",
          date,
          () => ({ open, closed }),
        );
        expect(stale.map((each) => `${each.domain} ${each.date}`)).toEqual([...expected].sort());
        // What has closed follows a lookup until it reads a version of it for good.
        const closing = stale.filter(({ unlessPinned }) => unlessPinned === "t");
        const others = models
          .filter(({ relation: { kind } }) => kind !== "all" && kind !== "latest")
          .map(({ name }) => name);
        expect(new Set(closing.map((each) => `${each.domain} ${each.date}`)).difference(pinned)).toEqual(new Set());
        if (others.length === 0) expect(closing).toHaveLength(pinned.size);
        // A window does not make partitions of days that have none; a date, a week or month with a first row does.
        expect(stale.filter(({ ifKnown }) => !ifKnown).map((each) => `${each.domain} ${each.date}`)).toEqual(
          [...certain].sort(),
        );
      },
    ),
    { numRuns: 100 },
  );
});

test("weeks begin on Monday, months end with their last day", () => {
  expect(datesRead({ kind: "within", unit: "week" }, "2026-11-30")).toEqual({ from: "2026-11-30", to: "2026-12-06" });
  expect(datesRead({ kind: "within", unit: "month" }, "2024-02-01")).toEqual({ from: "2024-02-01", to: "2024-02-29" });
  expect(["2026-11-29", "2026-11-30", "2026-12-06"].map((each) => firstDayOf("week", each))).toEqual([
    "2026-11-23",
    "2026-11-30",
    "2026-11-30",
  ]);
});
