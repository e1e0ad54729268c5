/** The ledger's arithmetic: what is on its way is no difference, what is nowhere is one. */
import { describe, expect, test } from "vitest";
import { balanceByHour, balanceByPartition } from "../../../../lakehouse/ledger/balance.ts";
import type { AppendedHour, BronzeHour, LedgerState, ParkedHour } from "../../../../sql/statements/ledger-balance.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const HOUR = "2026-11-21T09:00:00Z";
const ago = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();

function state(appended: Partial<AppendedHour> | null, ...cells: readonly Partial<BronzeHour>[]): LedgerState {
  const line = { topic: "orders", hour: HOUR, events: 0, published_at: ago(90) };
  const cell = {
    topic: "orders",
    partition_date: "2026-11-21",
    hour: HOUR,
    bronze: 0,
    registered_at: ago(90),
    silver: 0,
    replayed: 0,
    duplicates: 0,
    superseded: 0,
    quarantined: 0,
    expired: 0,
    current: 1,
    built_at: ago(89),
  };
  return {
    appended: appended === null ? [] : [{ ...line, ...appended }],
    rejected: [],
    parked: [],
    bronze: cells.map((changes) => ({ ...cell, ...changes })),
  };
}

/** Slices that a flush set aside; `minutes`: how long ago some of them were sent on. */
function aside(events: number, minutes?: number): ParkedHour {
  return { topic: "orders", hour: HOUR, events, redriven_at: minutes === undefined ? null : ago(minutes) };
}

describe("by hour", () => {
  test.each<[string, LedgerState, { buffered?: number; unbuilt?: number; difference: number }]>([
    ["all in silver", state({ events: 10 }, { bronze: 10, silver: 10 }), { difference: 0 }],
    [
      "every term",
      state({ events: 10 }, { bronze: 10, silver: 5, duplicates: 2, quarantined: 1, superseded: 1, expired: 1 }),
      { difference: 0 },
    ],
    [
      "just appended",
      state({ events: 12, published_at: ago(59) }, { bronze: 10, silver: 10 }),
      { buffered: 2, difference: 0 },
    ],
    ["appended long ago", state({ events: 12, published_at: ago(60) }, { bronze: 10, silver: 10 }), { difference: 2 }],
    [
      "set aside by a flush",
      { ...state({ events: 12 }, { bronze: 10, silver: 10 }), parked: [aside(2)] },
      { difference: 0 },
    ],
    ["set aside, and lost beside", { ...state({ events: 12 }), parked: [aside(2)] }, { difference: 10 }],
    [
      "set aside, and just sent on: in its buffer or on its way there",
      { ...state({ events: 12 }, { bronze: 10, silver: 10 }), parked: [aside(0, 59)] },
      { buffered: 2, difference: 0 },
    ],
    [
      "sent on long ago, and never seen again",
      { ...state({ events: 12 }, { bronze: 9, silver: 9 }), parked: [aside(1, 60)] },
      { difference: 2 },
    ],
    ["appended, and never flushed", state({ events: 12 }), { difference: 12 }],
    ["bronze ahead", state({ events: 9, published_at: ago(0) }, { bronze: 10, silver: 10 }), { difference: -1 }],
    [
      "totals from before they were dated",
      state({ events: 9, published_at: null }, { bronze: 10, silver: 10 }),
      { difference: 0 },
    ],
    [
      "lost before bronze, and doubled behind it: neither hides the other",
      state({ events: 11 }, { bronze: 10, silver: 11 }),
      { difference: 1 },
    ],
    [
      "lost from one partition, and doubled in another",
      state({ events: 20 }, { bronze: 10, silver: 8 }, { partition_date: "2026-11-20", bronze: 10, silver: 13 }),
      { difference: -3 },
    ],
    [
      "not built yet",
      state({ events: 10 }, { bronze: 10, built_at: null, current: 0 }),
      { unbuilt: 10, difference: 0 },
    ],
    [
      "built before the last file",
      state({ events: 10 }, { bronze: 10, silver: 8, current: 0 }),
      { unbuilt: 2, difference: 0 },
    ],
    ["the last build saw everything", state({ events: 10 }, { bronze: 10, silver: 8 }), { difference: 2 }],
    [
      "a build well after the file",
      state({ events: 10 }, { bronze: 10, silver: 8, current: 0, built_at: ago(74) }),
      { difference: 2 },
    ],
    ["silver has more", state({ events: 10 }, { bronze: 10, silver: 11 }), { difference: -1 }],
    [
      "files from before hours were counted",
      state({ events: 10 }, { bronze: 10, silver: 8, registered_at: null }),
      { unbuilt: 2, difference: 0 },
    ],
    [
      "two partitions, one of them built",
      state(
        { events: 10 },
        { bronze: 6, silver: 6 },
        { partition_date: "2026-11-20", bronze: 4, built_at: null, current: 0 },
      ),
      { unbuilt: 4, difference: 0 },
    ],
  ])("%s", (_, of, expected) => {
    expect(balanceByHour(of, NOW)).toMatchObject([
      { topic: "orders", hour: HOUR, buffered: 0, unbuilt: 0, ...expected },
    ]);
  });
});

test("by partition: what is in bronze, and nothing that is not", () => {
  const cells = [
    { bronze: 6, silver: 6 },
    { hour: "2026-11-21T10:00:00Z", bronze: 3, silver: 1, duplicates: 1 },
  ];
  expect(balanceByPartition(state({ events: 12 }, ...cells), NOW)).toMatchObject([
    { topic: "orders", partition_date: "2026-11-21", bronze: 9, silver: 7, duplicates: 1, difference: 1 },
  ]);
});
