/** Completeness: what counts as received and as missing, and where a promise is just kept. */
import { describe, expect, test } from "vitest";
import type { HourBalance } from "../../../../lakehouse/ledger/balance.ts";
import { completenessByDay, isIncomplete } from "../../../../lakehouse/ledger/completeness.ts";

function hour(terms: Partial<HourBalance>): HourBalance {
  const nothing = {
    accepted: 0,
    rejected: 0,
    buffered: 0,
    parked: 0,
    bronze: 0,
    silver: 0,
    replayed: 0,
    duplicates: 0,
  };
  const rest = { superseded: 0, quarantined: 0, expired: 0, unbuilt: 0, difference: 0 };
  return { topic: "orders", hour: "2026-11-21T09:00:00Z", ...nothing, ...rest, ...terms };
}

describe("missing", () => {
  test.each<[string, Partial<HourBalance>, { received: number; missing: number; percent: number }]>([
    [
      "nothing: copies and newer rows are in the table",
      { accepted: 10, silver: 5, duplicates: 3, superseded: 2 },
      { received: 10, missing: 0, percent: 100 },
    ],
    [
      "nothing: it is on its way",
      { accepted: 10, buffered: 4, unbuilt: 6 },
      { received: 10, missing: 0, percent: 100 },
    ],
    ["refused", { accepted: 9, rejected: 1 }, { received: 10, missing: 1, percent: 90 }],
    [
      "refused, and some of it replayed",
      { accepted: 9, rejected: 4, replayed: 3 },
      { received: 10, missing: 1, percent: 90 },
    ],
    [
      "replayed into quarantine",
      { accepted: 10, rejected: 1, replayed: 1, quarantined: 1 },
      { received: 10, missing: 1, percent: 90 },
    ],
    [
      "held back, set aside, too old, nowhere",
      { accepted: 10, quarantined: 1, parked: 2, expired: 3, difference: 4 },
      { received: 10, missing: 10, percent: 0 },
    ],
    [
      "not less than nothing where there is too much",
      { accepted: 10, difference: -1 },
      { received: 10, missing: 0, percent: 100 },
    ],
    [
      "one of very many: not rounded up to all",
      { accepted: 9_999_999, rejected: 1 },
      { received: 10_000_000, missing: 1, percent: 99.999 },
    ],
  ])("%s", (_, terms, expected) => {
    expect(completenessByDay([hour(terms)])).toEqual([{ topic: "orders", date: "2026-11-21", ...expected }]);
  });

  test("by topic and date, without dates that have nothing", () => {
    const hours = [
      hour({ accepted: 1 }),
      hour({ hour: "2026-11-21T23:00:00Z", rejected: 1 }),
      hour({ hour: "2026-11-22T00:00:00Z", accepted: 1 }),
      hour({ topic: "weather" }),
    ];
    expect(completenessByDay(hours).map(({ date, received, missing }) => [date, received, missing])).toEqual([
      ["2026-11-21", 2, 1],
      ["2026-11-22", 1, 0],
    ]);
  });
});

test.each([
  [1_000, 1, 99.9, false],
  [1_000, 2, 99.9, true],
  [100, 1, 99, false],
  [100, 0, 100, false],
  [1_000_000_000, 1, 100, true],
  [300_000, 210, 99.93, false],
  [300_000, 211, 99.93, true],
])("%i received and %i missing break a promise of %d percent: %s", (received, missing, promised, broken) => {
  expect(isIncomplete({ topic: "orders", date: "2026-11-21", received, missing, percent: 0 }, promised)).toBe(broken);
});
