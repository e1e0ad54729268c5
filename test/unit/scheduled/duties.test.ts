/** The cron's duties: whose turn it is, and that a failure stays with its duty. */
import { expect, test } from "vitest";
import { type Duty, isDue, type LeftDuty, runDuties } from "../../../scheduled/duties.ts";

const MINUTE = 60_000;
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

/** What ticks remember, and a clock that each run of a duty moves. */
class Ticks {
  readonly lines: Readonly<Record<string, unknown>>[] = [];
  remembered: LeftDuty[] = [];
  ms = 0;
  lost = false;

  run(duties: readonly Duty[], now = TICK): Promise<void> {
    return runDuties(duties, now, {
      log: (line) => void this.lines.push(line),
      clock: () => this.ms,
      left: () => (this.lost ? Promise.reject(new Error("D1 is away")) : Promise.resolve(this.remembered)),
      note: async (left, done) => {
        const changed = new Set([...left.map(({ duty }) => duty), ...done]);
        this.remembered = [...this.remembered.filter(({ duty }) => !changed.has(duty)), ...left];
      },
    });
  }
}

test("one duty fails: the others are done, and the tick says which failed", async () => {
  const ticks = new Ticks();
  const failing = duty("second", 1, () => Promise.reject(new Error("D1 is away")));
  const ticked = ticks.run([duty("first", 1), failing, duty("third", 1), duty("hourly", 60)]);
  await expect(ticked).rejects.toThrow("1 duties of the tick failed");
  expect(ticks.lines).toMatchObject([
    { duty: "first", done: "first" },
    { duty: "second", error: "Error: D1 is away" },
    { duty: "third", done: "third" },
  ]);
});

/** An hourly duty that does ten pieces a run, each run in so many milliseconds. */
function sweeper(ticks: Ticks, work: { left: number }, ms: number): Duty {
  return duty("sweep", 60, async () => {
    ticks.ms += ms;
    work.left = Math.max(0, work.left - 10);
    return work.left > 0 ? { more: "now" } : {};
  });
}
const ON_THE_HOUR = TICK - 5 * MINUTE;

test("a duty that has more is run again at once, and is done", async () => {
  const ticks = new Ticks();
  const work = { left: 95 };
  await ticks.run([sweeper(ticks, work, 100)], ON_THE_HOUR);
  expect(work.left).toBe(0);
  expect(ticks.lines).toHaveLength(10);
  expect(ticks.remembered).toEqual([]);
});

test.each([
  ["its time", 4_000, 4],
  ["its number of runs", 10, 20],
])("what is left when %s is over goes on at every tick, until it is done", async (_, ms, runs) => {
  const ticks = new Ticks();
  const work = { left: 10 * (2 * runs + 1) };
  const duties = [sweeper(ticks, work, ms), duty("other", 1)];
  await ticks.run(duties, ON_THE_HOUR);
  expect(ticks.lines.map((line) => line["duty"])).toEqual([...Array.from({ length: runs }, () => "sweep"), "other"]);
  expect(ticks.remembered).toEqual([{ duty: "sweep", cursor: null }]);
  await ticks.run(duties, ON_THE_HOUR + MINUTE);
  expect(ticks.remembered).toHaveLength(1);
  await ticks.run(duties, ON_THE_HOUR + 2 * MINUTE);
  expect(work.left).toBe(0);
  expect(ticks.remembered).toEqual([]);
  ticks.lines.length = 0;
  await ticks.run(duties, ON_THE_HOUR + 3 * MINUTE);
  expect(ticks.lines).toMatchObject([{ duty: "other" }]);
});

test("no duty runs twice in a tick that has taken its time, and each that is due runs once", async () => {
  const ticks = new Ticks();
  const greedy = Array.from({ length: 6 }, (_, n) => ({
    ...duty(`greedy-${n}`, 1, async () => {
      ticks.ms += 5_000;
      return { more: "now" as const };
    }),
    runsATick: 3,
  }));
  await ticks.run(greedy);
  const runs = Map.groupBy(ticks.lines, (line) => line["duty"]);
  expect([...runs.values()].map(({ length }) => length)).toEqual([3, 3, 2, 1, 1, 1]);
  expect(ticks.remembered).toHaveLength(6);
});

test("a walk goes on where it was cut short, and waits where another run would find the same", async () => {
  const ticks = new Ticks();
  const seen: (string | null)[] = [];
  const walk = duty("walk", 60, async (_, cursor) => {
    seen.push(cursor);
    const next = Number(cursor ?? 0) + 1;
    if (next === 3) return { more: "later", cursor: "3" };
    return next < 5 ? { more: "now", cursor: String(next) } : {};
  });
  await ticks.run([walk], ON_THE_HOUR);
  expect(seen).toEqual([null, "1", "2"]);
  await ticks.run([walk], ON_THE_HOUR + MINUTE);
  expect(seen).toEqual([null, "1", "2", "3", "4"]);
  expect(ticks.remembered).toEqual([]);
});

test("without the database's word duties keep their own rhythm; a failure forgets nothing", async () => {
  const ticks = new Ticks();
  ticks.remembered = [{ duty: "hourly", cursor: "7" }];
  ticks.lost = true;
  await ticks.run([duty("minutely", 1), duty("hourly", 60)]);
  expect(ticks.lines).toMatchObject([{ event: "duties_left_unknown" }, { duty: "minutely" }]);
  ticks.lost = false;
  await expect(ticks.run([duty("hourly", 60, () => Promise.reject(new Error("R2 is away")))])).rejects.toThrow();
  expect(ticks.remembered).toEqual([{ duty: "hourly", cursor: "7" }]);
});
