import { expect, test } from "vitest";
import { Agenda } from "../../../producers/simulators/agenda.ts";
import { createRandom } from "../../../producers/simulators/random.ts";

test("entries leave soonest first, and in their order where times are equal", () => {
  const random = createRandom(1);
  const agenda = new Agenda<{ dueMs: number; order: number }>();
  const entries = Array.from({ length: 500 }, (_, order) => ({ dueMs: random.int(0, 60), order }));
  for (const entry of entries) agenda.add(entry.dueMs, entry);
  const taken = [];
  while (agenda.nextDueMs !== undefined) taken.push(agenda.take());
  expect(taken).toEqual(entries.toSorted((a, b) => a.dueMs - b.dueMs || a.order - b.order));
  expect(agenda.take()).toBeUndefined();
});
