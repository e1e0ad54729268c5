import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { MUTATIONS } from "../../../../tools/chaos/mutations/mutations.ts";

const root = resolve(import.meta.dirname, "../../../..");

// `npm run chaos -- --mutations` makes them; that takes minutes, but the code they are made in may change today.
test.each(MUTATIONS)("$name still fits $file", ({ file, before, after }) => {
  const source = readFileSync(join(root, file), "utf8");
  expect(source.split(before)).toHaveLength(2);
  expect(after).not.toBe(before);
});
