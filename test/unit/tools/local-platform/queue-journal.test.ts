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
  expect(second.entries()).toEqual([1, 3].map((id) => ({ id, binding: "TOPIC_ORDERS" })));
  expect([1, 2, 3].map((id) => second.body(id))).toEqual([Uint8Array.of(1), undefined, Uint8Array.of(3)]);
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
  expect(after.entries()).toHaveLength(1);
  after.close();
  killed.close();
});

test("it is bounded; what is consumed makes room", async () => {
  const journal = new QueueJournal(folder, { bytes: 10, cachedBytes: 9 });
  const id = await journal.append("TOPIC_ORDERS", new Uint8Array(8));
  await expect(journal.append("TOPIC_ORDERS", new Uint8Array(3))).rejects.toThrow(JournalFullError);
  // It finds no room in memory, and is read from disk.
  const uncached = await journal.append("TOPIC_ORDERS", Uint8Array.of(1, 2));
  expect(journal.body(uncached)).toEqual(Uint8Array.of(1, 2));
  journal.remove([id, id, 99]);
  await expect.poll(() => journal.entries().length).toBe(1);
  await journal.append("TOPIC_ORDERS", new Uint8Array(8));
  journal.close();
});
