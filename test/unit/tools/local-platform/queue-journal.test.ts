/** The journal of the local queues: what was appended is there after a stop at any point, until it is consumed. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JournalFullError, QueueJournal } from "../../../../tools/local-platform/queue-journal/journal.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what was appended and not consumed is there for the next run, in order", async () => {
  const first = new QueueJournal(folder);
  const ids = await Promise.all([1, 2, 3].map((n) => first.append("TOPIC_ORDERS", Uint8Array.of(n))));
  expect(ids).toEqual([1, 2, 3]);
  first.remove([2]);
  first.close();

  const second = new QueueJournal(folder);
  expect(second.page(0, 1)).toEqual([{ id: 1, binding: "TOPIC_ORDERS", body: Uint8Array.of(1) }]);
  expect(second.page(1, 10).map(({ id }) => id)).toEqual([3]);
  expect([second.count(), second.lastId()]).toEqual([2, 3]);
  expect(await second.append("TOPIC_WEATHER", Uint8Array.of(4))).toBe(4);
  second.close();
});

test("an append that resolved is in the files, though nobody closed them", async () => {
  const killed = new QueueJournal(folder);
  await killed.append("TOPIC_ORDERS", Uint8Array.of(1));
  const copy = join(folder, "copy");
  mkdirSync(copy);
  for (const name of ["messages.sqlite", "messages.sqlite-wal"]) cpSync(join(folder, name), join(copy, name));
  const after = new QueueJournal(copy);
  expect(after.count()).toBe(1);
  after.close();
  killed.close();
});

test("it is bounded; what is consumed makes room", async () => {
  const journal = new QueueJournal(folder, 10);
  const id = await journal.append("TOPIC_ORDERS", new Uint8Array(8));
  await expect(journal.append("TOPIC_ORDERS", new Uint8Array(3))).rejects.toThrow(JournalFullError);
  await journal.append("TOPIC_ORDERS", new Uint8Array(2));
  journal.remove([id, id, 99]);
  await expect.poll(() => journal.count()).toBe(1);
  await journal.append("TOPIC_ORDERS", new Uint8Array(8));
  journal.close();
});
