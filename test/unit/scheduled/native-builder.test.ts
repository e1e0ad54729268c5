import { expect, test } from "vitest";
import type { NativeBuilderState } from "../../../durable-objects/stubs.ts";
import { nativeBuilderUpkeep } from "../../../scheduled/native-builder.ts";

function upkeepWith(answer: NativeBuilderState, waiting: () => Promise<number>, hours = "20") {
  const calls: number[] = [];
  const upkeep = nativeBuilderUpkeep({
    namespace: {
      idFromName: (name) => name,
      get: () => ({
        wake: async (ceiling) => {
          calls.push(ceiling);
          return answer;
        },
      }),
    },
    hours,
    waiting,
  });
  const [duty] = upkeep.duties;
  const [source] = upkeep.sources;
  return { calls, duty, source };
}

const NOW = Date.parse("2026-11-30T12:00:00Z");

test("the container is woken while something waits, with the hours that it may run, and nobody is alerted", async () => {
  const { calls, duty, source } = upkeepWith({ state: "started", hours: 1.5 }, async () => 3);
  expect(await duty?.run(NOW, null)).toEqual({ waiting: 3, state: "started", hours: 1.5 });
  expect(calls).toEqual([20]);
  expect(await source?.find(NOW)).toEqual([]);
});

test("nothing waits: it is left to sleep", async () => {
  const { calls, duty, source } = upkeepWith({ state: "ceiling", hours: 20 }, async () => 0);
  expect(await duty?.run(NOW, null)).toEqual({ waiting: 0 });
  expect(calls).toEqual([]);
  expect(await source?.find(NOW)).toEqual([]);
});

test("hours that are used up, and a container that is not set up, are alerts which say what to do", async () => {
  const used = upkeepWith({ state: "ceiling", hours: 20.04 }, async () => 1);
  await used.duty?.run(NOW, null);
  expect(await used.source?.find(NOW)).toMatchObject([
    {
      key: "native_builder_asleep",
      severity: "critical",
      message: expect.stringContaining("ran 20.0 hours this month"),
    },
  ]);
  const bare = upkeepWith({ state: "not set up", hours: 0 }, async () => 1);
  await bare.duty?.run(NOW, null);
  expect(await bare.source?.find(NOW)).toMatchObject([{ message: expect.stringContaining("BUILDER_KEY") }]);
});

test("a duty that failed says nothing of its alert: the source fails too, and what is firing stays", async () => {
  const { duty, source } = upkeepWith({ state: "runs", hours: 1 }, async () => {
    throw new Error("D1 is down");
  });
  await expect(duty?.run(NOW, null)).rejects.toThrow("D1 is down");
  await expect(source?.find(NOW)).rejects.toThrow("did not come to its end");
});

test("without hours there is neither duty nor alert; hours that are no number are refused by name", () => {
  const answer = { state: "runs", hours: 0 } as const;
  expect(upkeepWith(answer, async () => 1, "0").duty).toBeUndefined();
  for (const wrong of ["", " ", "twenty", "-1", "Infinity"])
    expect(() => upkeepWith(answer, async () => 1, wrong)).toThrow("vars.BUILDER_HOURS");
});
