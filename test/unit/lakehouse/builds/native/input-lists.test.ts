import { expect, test } from "vitest";
import { type InputList, InputLists } from "../../../../../lakehouse/builds/native/input-lists.ts";

const listOf = (files: number): InputList => new Map(Array.from({ length: files }, (_, n) => [`f-${n}`, n] as const));

function loader(files: number) {
  const calls = { count: 0 };
  const load = async () => {
    calls.count++;
    return listOf(files);
  };
  return { calls, load };
}

test("files that are asked for at once read their order once", async () => {
  const lists = new InputLists();
  const { calls, load } = loader(3);
  const answers = await Promise.all(Array.from({ length: 6 }, () => lists.of("run", load)));
  expect(answers.map(({ size }) => size)).toEqual([3, 3, 3, 3, 3, 3]);
  expect(calls.count).toBe(1);
});

test("lists are held up to so many files: the one that was asked for longest ago goes, the newest stays whatever its size", async () => {
  const lists = new InputLists(10);
  const loaders = new Map([4, 5, 6, 50].map((files) => [files, loader(files)] as const));
  const ask = (files: number) => lists.of(`run-${files}`, loaders.get(files)!.load);
  for (const files of [4, 5, 4, 6]) await ask(files);
  expect(loaders.get(4)!.calls.count).toBe(1);
  // 5 went, since 4 was asked for after it.
  await ask(4);
  expect(loaders.get(4)!.calls.count).toBe(1);
  await ask(50);
  await ask(50);
  expect(loaders.get(50)!.calls.count).toBe(1);
  for (const files of [4, 5, 6]) await ask(files);
  expect([4, 5, 6].map((files) => loaders.get(files)!.calls.count)).toEqual([2, 2, 2]);
});

test("a request that was cancelled while it read an order keeps the others waiting for a second, and no longer", async () => {
  const waits: number[] = [];
  const lists = new InputLists(undefined, async (ms) => waits.push(ms));
  void lists.of("run", () => new Promise(() => {}));
  expect((await lists.of("run", async () => listOf(2))).size).toBe(2);
  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBe(1_000);
});

test("an order that could not be read is read again", async () => {
  const lists = new InputLists();
  await expect(lists.of("run", () => Promise.reject(new Error("R2 is down")))).rejects.toThrow("R2 is down");
  expect((await lists.of("run", async () => listOf(2))).size).toBe(2);
});
