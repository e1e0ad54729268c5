/** The journal of the local queues: what was appended is there after a stop at any point, until it is consumed. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { JournalFullError, QueueJournal } from "../../../../tools/local-platform/queue-journal/journal.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-journal-"));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

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
  const journal = new QueueJournal(folder, 10);
  const id = await journal.append("TOPIC_ORDERS", new Uint8Array(8));
  await expect(journal.append("TOPIC_ORDERS", new Uint8Array(3))).rejects.toThrow(JournalFullError);
  // One that is refused takes no other one with it.
  const both = [new Uint8Array(2), new Uint8Array(1)].map((body) => journal.append("TOPIC_ORDERS", body));
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  journal.remove([id, id, 99]);
  // At once: what it needs room for does not wait for the next deletion.
  await journal.append("TOPIC_ORDERS", new Uint8Array(8));
  await expect(journal.append("TOPIC_ORDERS", new Uint8Array(1))).rejects.toThrow(JournalFullError);
  journal.close();
});

test("what was consumed is given to nobody from then on, and leaves the disk within seconds", async () => {
  const journal = new QueueJournal(folder);
  const ids = await Promise.all([1, 2, 3].map((n) => journal.append("TOPIC_ORDERS", Uint8Array.of(n))));
  journal.remove([1, 3, 4]);
  expect(await journal.append("TOPIC_ORDERS", Uint8Array.of(4))).toBe(4);
  expect([...ids, 4].map((id) => journal.body(id))).toEqual([undefined, Uint8Array.of(2), undefined, Uint8Array.of(4)]);
  await expect.poll(() => journal.entries().map(({ id }) => id), { timeout: 10_000 }).toEqual([2, 4]);
  journal.close();
});

test("a deletion that failed is done later", async () => {
  const journal = new QueueJournal(folder);
  const id = await journal.append("TOPIC_ORDERS", Uint8Array.of(1));
  const other = new DatabaseSync(join(folder, "messages.sqlite"));
  other.exec("BEGIN IMMEDIATE");
  vi.useFakeTimers();
  journal.remove([id]);
  // Another process holds the lock.
  vi.advanceTimersByTime(1_000);
  expect([journal.entries().length, journal.body(id)]).toEqual([1, undefined]);
  other.exec("COMMIT");
  other.close();
  vi.advanceTimersByTime(1_000);
  expect(journal.entries()).toEqual([]);
  journal.close();
});
