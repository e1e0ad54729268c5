import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { ERROR_TYPES } from "../../../contracts/verdict.ts";
import { PROBLEMS } from "../../../gateway/problem.ts";
import { REGISTRY_ERRORS } from "../../../gateway/registry/error.ts";
import { accessTable } from "../../../tools/docs/access.ts";
import { errorsPage } from "../../../tools/docs/errors.ts";
import { withSection } from "../../../tools/docs/section.ts";

test("docs/errors.md is what `npm run docs` writes", () => {
  const file = resolve(import.meta.dirname, "../../../docs/errors.md");
  expect(readFileSync(file, "utf8"), "run `npm run docs`").toBe(errorsPage());
});

test("docs/keys.md has every call with the right that it needs, as `npm run docs` writes it", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../../docs/keys.md"), "utf8");
  expect(withSection(page, "calls", accessTable()), "run `npm run docs`").toBe(page);
  expect(() => withSection("# A page", "calls", "")).toThrow("has no section");
});

test("every error type and code has its own heading, with cause and remedy", () => {
  const sections = errorsPage().split("\n### ").slice(1);
  const codes = [...ERROR_TYPES, ...Object.keys(PROBLEMS), ...Object.keys(REGISTRY_ERRORS)];
  expect(sections).toHaveLength(codes.length);
  for (const [index, code] of codes.entries()) {
    expect(sections[index]?.split("\n")[0]).toContain(code);
    expect(sections[index]).toMatch(/- Cause: \S[\s\S]*?\n- Remedy: \S/);
  }
});
