import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cronSchedule, everySeconds, startCronLoop } from "../../../../tools/local-platform/crons.ts";

function next(expression: string, after: string): string | undefined {
  const time = cronSchedule(expression)(Date.parse(after));
  return time === undefined ? undefined : new Date(time).toISOString();
}

describe("cronSchedule", () => {
  it.each([
    ["* * * * *", "2026-11-21T10:00:00Z", "2026-11-21T10:01:00.000Z"],
    ["*/15 3 * * *", "2026-11-21T03:45:00Z", "2026-11-22T03:00:00.000Z"],
    ["0 0 * * 1", "2026-11-21T10:00:00Z", "2026-11-22T00:00:00.000Z"], // A Sunday, as Cloudflare counts.
    ["0 0 * * MON", "2026-11-21T10:00:00Z", "2026-11-23T00:00:00.000Z"],
    ["59 23 LW * *", "2026-11-21T10:00:00Z", "2026-11-30T23:59:00.000Z"],
  ])("%s after %s is %s", (expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  it("refuses what is no cron of five fields", () => {
    expect(() => cronSchedule("* * *")).toThrow();
    expect(() => cronSchedule("* * * * * *")).toThrow();
  });
});

it("everySeconds counts from the epoch", () => {
  expect(everySeconds(5)(10_000)).toBe(15_000);
  expect(everySeconds(5)(14_999)).toBe(15_000);
});

describe("startCronLoop", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("fires on schedule until it is stopped", async () => {
    const fire = vi.fn(async () => {});
    const loop = startCronLoop(everySeconds(5), fire);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(fire).toHaveBeenCalledTimes(3);
    await loop.stop();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(fire).toHaveBeenCalledTimes(3);
  });

  it("skips the times at which the last run is still under way, and waits for it at the end", async () => {
    const ends: (() => void)[] = [];
    const fire = vi.fn(() => new Promise<void>((end) => ends.push(end)));
    const loop = startCronLoop(everySeconds(5), fire);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(fire).toHaveBeenCalledTimes(1);
    ends[0]?.();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(fire).toHaveBeenCalledTimes(2);
    let stopped = false;
    const stop = loop.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(stopped).toBe(false);
    ends[1]?.();
    await stop;
  });

  it("waits for a distant time in steps, and does not fire early", async () => {
    const month = 30 * 86_400_000;
    const fire = vi.fn(async () => {});
    const loop = startCronLoop((now) => (now < month ? month : undefined), fire);
    await vi.advanceTimersByTimeAsync(month - 2_000);
    expect(fire).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fire).toHaveBeenCalledTimes(1);
    await loop.stop();
  });
});
