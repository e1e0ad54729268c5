/** Where in a call an object is reset. */
import { expect, test } from "vitest";
import { countedStorage, createStepCounter } from "../../../../tools/chaos/faults/steps.ts";

/** A storage that writes down what is done to it, and a call of three steps. */
function object() {
  const done: string[] = [];
  const counter = createStepCounter(() => {
    done.push("reset");
  });
  const storage = countedStorage(
    { sql: { exec: (text: string) => done.push(text) }, setAlarm: async () => done.push("alarm") },
    counter.step,
  );
  const call = async () => {
    storage.sql.exec("a");
    storage.sql.exec("b");
    await storage.setAlarm();
    return "answer";
  };
  return { done, counter, call };
}

test.each([
  [1, ["a", "reset", "b", "alarm"]],
  [2, ["a", "b", "reset", "alarm"]],
  [3, ["a", "b", "alarm", "reset"]],
  // A call with fewer steps is reset at its end.
  [9, ["a", "b", "alarm", "reset"]],
])("after step %i of a call", async (steps, expected) => {
  const { done, counter, call } = object();
  await counter.endAfter(steps, "call", call);
  expect(done).toEqual(expected);
  await call();
  expect(done.filter((what) => what === "reset")).toHaveLength(1);
});

test("a call for which nothing is planned is only made", async () => {
  const { done, counter, call } = object();
  expect(await counter.endAfter(undefined, "call", call)).toBe("answer");
  expect(done).toEqual(["a", "b", "alarm"]);
});
