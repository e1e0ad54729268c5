/** Numbers whose send failed are told once, by a message that is sent. */
import { expect, test } from "vitest";
import { noteUnsent, takeUnsent } from "../../../gateway/unsent.ts";
import { countWithin, mergeRanges } from "../../../schemas/number-ranges.ts";
import { createHarness, order } from "./harness.ts";

test("a failed message's numbers, and those it was to tell, are told by the next that is sent", async () => {
  const harness = createHarness();
  const send = () => harness.post("/v1/topics/orders/events", [order("a")]);
  await send();
  const [before] = harness.sent;
  harness.failSends(0, 1);
  expect((await send()).status).toBe(503);
  expect((await send()).status).toBe(503);
  harness.healSends();
  await send();
  await send();
  const [, telling, silent] = harness.sent;
  const first = before?.header.sequence ?? 0;
  expect(telling?.header).toMatchObject({ sequence: first + 3, unsent: [[first + 1, first + 2]] });
  expect(silent?.header.sequence).toBe(first + 4);
  expect(silent?.header).not.toHaveProperty("unsent");
});

test("a long outage is told in portions, and what is not told is bounded", () => {
  noteUnsent(
    "many",
    Array.from({ length: 5_000 }, (_, i) => [2 * i + 1, 2 * i + 1] as const),
  );
  const told: number[] = [];
  for (let ranges = takeUnsent("many"); ranges.length > 0; ranges = takeUnsent("many")) {
    expect(ranges.length).toBeLessThanOrEqual(200);
    told.push(...ranges.map(([first]) => first));
  }
  expect(told).toHaveLength(2_000);
  expect(new Set(told).size).toBe(2_000);
});

test("ranges", () => {
  expect(
    mergeRanges([
      [7, 9],
      [1, 2],
      [3, 3],
      [8, 12],
      [20, 20],
    ]),
  ).toEqual([
    [1, 3],
    [7, 12],
    [20, 20],
  ]);
  expect(
    countWithin(
      [
        [1, 3],
        [7, 12],
      ],
      2,
      8,
    ),
  ).toBe(3);
  expect(countWithin([[1, 3]], 3, 9)).toBe(0);
});
