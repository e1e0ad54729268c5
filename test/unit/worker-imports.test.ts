/** What the Worker loads at its start, as far as one careless import can double it. */
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const PROJECT = resolve(import.meta.dirname, "../..");
const LAYERS = [
  "gateway",
  "queue-consumers",
  "scheduled",
  "durable-objects",
  "lakehouse",
  "sql",
  "contracts",
  "schemas",
];

test("zod comes in as a namespace: its `z` would bring every locale and format into the bundle (npm run bench -- startup)", () => {
  const sources = globSync(["worker.ts", ...LAYERS.map((layer) => `${layer}/**/*.ts`)], { cwd: PROJECT });
  expect(sources.length).toBeGreaterThan(100);
  const named = sources.filter((path) =>
    /import \{[^}]*\} from "zod"/.test(readFileSync(resolve(PROJECT, path), "utf8")),
  );
  expect(named).toEqual([]);
});
