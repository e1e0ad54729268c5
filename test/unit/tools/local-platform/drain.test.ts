import { describe, expect, it } from "vitest";
import { type MessageCounts, waitForDrain } from "../../../../tools/local-platform/drain.ts";

/** Runs a drain whose polls see these counts, one after the other, the last for ever; time passes in sleeps only. */
async function drain(seen: (MessageCounts | undefined)[], timeoutMs = 10_000) {
  let now = 0;
  let polls = 0;
  const result = await waitForDrain(
    async () => seen[Math.min(polls++, seen.length - 1)],
    timeoutMs,
    async (ms) => {
      now += ms;
    },
    () => now,
  );
  return { result, polls };
}

describe("waitForDrain", () => {
  it("ends when all is acknowledged twice", async () => {
    const { result, polls } = await drain([
      { sent: 3, acknowledged: 1 },
      { sent: 3, acknowledged: 3 },
      { sent: 4, acknowledged: 4 },
      { sent: 4, acknowledged: 4 },
    ]);
    expect(result).toEqual({ drained: true });
    expect(polls).toBe(4);
  });

  it("gives up and says how many are left", async () => {
    const { result } = await drain([{ sent: 9, acknowledged: 2 }], 1_000);
    expect(result).toEqual({ drained: false, left: 7 });
  });

  it("does not guess when the Worker does not tell", async () => {
    expect((await drain([undefined], 1_000)).result).toEqual({ drained: false, left: undefined });
  });

  it("outlives an answer that fails", async () => {
    const done = { sent: 1, acknowledged: 1 };
    expect((await drain([done, undefined, done, done])).result).toEqual({ drained: true });
  });
});
