import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CommandProblem, type ProblemCode } from "../../../../tools/command-problem.ts";
import {
  emptyState,
  lockState,
  readState,
  removeState,
  type StateFile,
  type StateFolder,
  stateFolder,
  writeState,
} from "../../../../tools/local-platform/state.ts";

let root: string;
let folder: StateFolder;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-state-"));
  folder = stateFolder(join(root, "state"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const STATE: StateFile = { layout: 1, bucket: "lake", database: "db", migrations: { "0001_a.sql": "ab" } };

function codeOf(action: () => unknown): { code: ProblemCode; message: string } | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof CommandProblem) return error;
    throw error;
  }
}

describe("readState", () => {
  it("is undefined for an absent and for an empty folder", () => {
    expect(readState(folder)).toBeUndefined();
    mkdirSync(folder.dir);
    expect(readState(folder)).toBeUndefined();
  });

  it("gives back what was written", () => {
    writeState(folder, STATE);
    expect(readState(folder)).toEqual(STATE);
    expect(existsSync(folder.storage)).toBe(true);
  });

  it.each([0, 2, "x"])("says what to do about layout %j", (layout) => {
    mkdirSync(folder.dir);
    writeFileSync(join(folder.dir, "state.json"), JSON.stringify({ ...STATE, layout }));
    const problem = codeOf(() => readState(folder));
    expect(problem?.code).toBe("STATE_LAYOUT");
    expect(problem?.message).toContain(`npm run reset -- --state ${folder.dir}`);
  });

  it.each(["{", '{"layout":1}'])("says what to do about a damaged state.json: %s", (text) => {
    mkdirSync(folder.dir);
    writeFileSync(join(folder.dir, "state.json"), text);
    expect(codeOf(() => readState(folder))).toMatchObject({ code: "STATE_LAYOUT" });
  });

  it("refuses a folder that holds something else", () => {
    mkdirSync(folder.dir);
    writeFileSync(join(folder.dir, "thesis.tex"), "");
    expect(codeOf(() => readState(folder))).toMatchObject({ code: "NOT_A_STATE_FOLDER" });
    expect(codeOf(() => lockState(folder, "platform"))).toMatchObject({ code: "NOT_A_STATE_FOLDER" });
    expect(readdirSync(folder.dir)).toEqual(["thesis.tex"]);
  });
});

describe("lockState", () => {
  it("tells the second one who is first, where, and what to do", () => {
    const lock = lockState(folder, "platform");
    lock.publish({ url: "http://127.0.0.1:8787" });
    const problem = codeOf(() => lockState(folder, "platform"));
    expect(problem?.code).toBe("IN_USE");
    for (const part of [String(process.pid), "http://127.0.0.1:8787", "Ctrl-C", "--port"]) {
      expect(problem?.message).toContain(part);
    }
    lock.release();
    expect(codeOf(() => lockState(folder, "platform"))).toBeUndefined();
  });
});

describe("removeState", () => {
  it("removes a state, of whatever layout", () => {
    writeState(folder, STATE);
    mkdirSync(folder.cache);
    expect(removeState(folder)).toBe(true);
    expect(existsSync(folder.dir)).toBe(false);
    mkdirSync(folder.dir);
    writeFileSync(join(folder.dir, "state.json"), '{"layout":99}');
    expect(removeState(folder)).toBe(true);
    expect(removeState(folder)).toBe(false);
  });

  it("refuses while a platform runs, and another's folder", () => {
    writeState(folder, STATE);
    const lock = lockState(folder, "platform");
    expect(codeOf(() => removeState(folder))).toMatchObject({ code: "IN_USE" });
    expect(readState(folder)).toEqual(STATE);
    lock.release();
    expect(codeOf(() => removeState(stateFolder(root)))).toMatchObject({ code: "NOT_A_STATE_FOLDER" });
    expect(readState(folder)).toEqual(STATE);
  });
});

it("emptyState keeps the lock", () => {
  writeState(folder, STATE);
  lockState(folder, "platform");
  emptyState(folder);
  expect(readdirSync(folder.dir)).toEqual(["in-use.json"]);
});

describe("who may read the folder", () => {
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

  it("its owner alone: a new one, one that others could read until now, and what is written there", () => {
    lockState(folder, "test").release();
    expect(modeOf(folder.dir)).toBe("700");
    chmodSync(folder.dir, 0o755);
    const lock = lockState(folder, "test");
    lock.publish({ url: "http://127.0.0.1:1" });
    writeState(folder, STATE);
    writeFileSync(join(folder.dir, "later"), "by anyone in this process");
    expect(modeOf(folder.dir)).toBe("700");
    expect(["in-use.json", "state.json", "later"].map((name) => modeOf(join(folder.dir, name)))).toEqual(
      Array.from({ length: 3 }, () => "600"),
    );
    expect(modeOf(folder.storage)).toBe("700");
    lock.release();
  });

  it("the folder of something else keeps its permissions", () => {
    mkdirSync(folder.dir);
    chmodSync(folder.dir, 0o755);
    writeFileSync(join(folder.dir, "thesis.txt"), "");
    expect(codeOf(() => lockState(folder, "test"))?.code).toBe("NOT_A_STATE_FOLDER");
    expect(modeOf(folder.dir)).toBe("755");
  });
});
