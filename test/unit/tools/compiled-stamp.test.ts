import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { compilerInputs, isCompiled, noteCompiled } from "../../../tools/build/compiled-stamp.ts";

let root: string;
const write = (path: string, text: string) => writeFileSync(join(root, path), text);
const GENERATED = "contracts/contracts.generated.ts";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-stamp-"));
  for (const folder of ["contracts", "schemas", "sql/gold", "tools/build"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  write("contracts/orders.yaml", "a contract");
  write(GENERATED, "what came of it");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const needsCompile = () => !isCompiled(root, compilerInputs(root));

it("says nothing of a project that was never compiled, and holds once it was", () => {
  expect(needsCompile()).toBe(true);
  noteCompiled(root, compilerInputs(root));
  expect(needsCompile()).toBe(false);
});

it.each(["contracts/orders.yaml", "sql/gold/new.sql", "tools/build/compile.ts", "package-lock.json"])(
  "does not hold when %s changes",
  (path) => {
    noteCompiled(root, compilerInputs(root));
    write(path, "something else");
    expect(needsCompile()).toBe(true);
  },
);

it.each([
  ["is edited", () => write(GENERATED, "edited")],
  ["is gone", () => rmSync(join(root, GENERATED))],
  ["gets one beside it that nothing made", () => write("schemas/old.generated.ts", "old")],
])("does not hold when a generated module %s", (_, change) => {
  noteCompiled(root, compilerInputs(root));
  change();
  expect(needsCompile()).toBe(true);
});

it("does not hold for inputs that changed while they were compiled", () => {
  const before = compilerInputs(root);
  write("contracts/orders.yaml", "edited meanwhile");
  noteCompiled(root, before);
  expect(needsCompile()).toBe(true);
});
