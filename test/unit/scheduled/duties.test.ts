/** The cron's duties: whose turn it is, and that a failure stays with its duty. */
import { expect, test } from "vitest";
import { type Duty, isDue, runDuties } from "../../../scheduled/duties.ts";

const TICK = Date.UTC(2026, 0, 2, 3, 5);

function duty(name: string, everyMinutes: number, run: Duty["run"] = async () => ({ done: name })): Duty {
  return { name, everyMinutes, run };
}

test.each([
  [1, TICK, true],
  [5, TICK, true],
  [60, TICK, false],
  [60, Date.UTC(2026, 0, 2, 4, 0, 30), true],
])("every %i minutes at %i: %s", (everyMinutes, now, due) => {
  expect(isDue({ everyMinutes }, now)).toBe(due);
});

test("one duty fails: the others are done, and the tick says which failed", async () => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const failing = duty("second", 1, () => Promise.reject(new Error("D1 is away")));
  const ticked = runDuties([duty("first", 1), failing, duty("third", 1), duty("hourly", 60)], TICK, (event) => {
    lines.push(event);
  });
  await expect(ticked).rejects.toThrow("1 duties of the tick failed");
  expect(lines).toMatchObject([
    { duty: "first", done: "first" },
    { duty: "second", error: "Error: D1 is away" },
    { duty: "third", done: "third" },
  ]);
});
