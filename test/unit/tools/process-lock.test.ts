import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAlive, lockHolder, tryLock } from "../../../tools/process-lock.ts";

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-lock-"));
  file = join(dir, "in-use.json");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const DEAD = JSON.stringify({ pid: 123_456, role: "platform", details: {} });

describe("tryLock", () => {
  it("gives the lock to one, and tells the other who has it", () => {
    const first = tryLock(file, "platform");
    if (!first.acquired) throw new Error("nobody else has it");
    first.lock.publish({ url: "http://127.0.0.1:1" });
    const holder = { pid: process.pid, role: "platform", details: { url: "http://127.0.0.1:1" } };
    expect(tryLock(file, "reset")).toEqual({ acquired: false, holder });
    expect(lockHolder(file)).toEqual(holder);
    first.lock.release();
    expect(tryLock(file, "reset").acquired).toBe(true);
  });

  it("takes over the lock of a process that is gone", () => {
    writeFileSync(file, DEAD);
    expect(lockHolder(file, () => false)).toBeUndefined();
    expect(tryLock(file, "platform", () => false).acquired).toBe(true);
    expect(lockHolder(file)?.pid).toBe(process.pid);
  });

  it.each(["", "{", "[]", '{"pid":0,"role":"platform"}', '{"pid":"7","role":"platform"}'])("takes over %j", (text) => {
    writeFileSync(file, text);
    expect(tryLock(file, "platform").acquired).toBe(true);
  });

  it("does not remove a lock that another took over in between", () => {
    writeFileSync(file, DEAD);
    let other = "";
    const attempt = tryLock(file, "late", (pid) => {
      if (pid === process.pid) return true;
      // Another process finds the same stale lock, and is faster.
      rmSync(file);
      tryLock(file, "fast");
      other = readFileSync(file, "utf8");
      return false;
    });
    expect(attempt).toMatchObject({ acquired: false, holder: { role: "fast" } });
    expect(readFileSync(file, "utf8")).toBe(other);
  });

  it("leaves no other file behind", () => {
    writeFileSync(file, DEAD);
    const attempt = tryLock(file, "platform", () => false);
    tryLock(file, "reset");
    expect(readdirSync(dir)).toEqual(["in-use.json"]);
    if (attempt.acquired) attempt.lock.release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it("does not release a lock twice", () => {
    const first = tryLock(file, "a");
    if (!first.acquired) throw new Error("nobody else has it");
    first.lock.release();
    tryLock(file, "b");
    first.lock.release();
    expect(lockHolder(file)?.role).toBe("b");
  });
});

it("knows a living process", () => {
  expect(isAlive(process.pid)).toBe(true);
  expect(isAlive(2 ** 30)).toBe(false);
});
