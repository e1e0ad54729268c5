import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bundleInputsDigest } from "../../../tools/build/bundle-inputs.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-bundle-"));
  for (const folder of ["contracts", "gateway/routes", "docs", "test/faults"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  write("worker.ts", "1");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  writeFileSync(join(root, path), text);
}
const digest = (entry = "worker.ts") => bundleInputsDigest(root, join(root, entry));

it.each(["worker.ts", "wrangler.toml", "contracts/orders.yaml", "gateway/routes/new.ts"])("changes with %s", (path) => {
  const before = digest();
  write(path, "2");
  expect(digest()).not.toBe(before);
});

it.each(["docs/a.md", "contracts/contracts.generated.ts", "test/faults/worker.ts"])(
  "does not change with %s",
  (path) => {
    const before = digest();
    write(path, "2");
    expect(digest()).toBe(before);
  },
);

it("is another for another entry, and changes with what stands beside that", () => {
  write("test/faults/worker.ts", "1");
  const before = digest("test/faults/worker.ts");
  expect(before).not.toBe(digest());
  write("test/faults/chaos.ts", "1");
  expect(digest("test/faults/worker.ts")).not.toBe(before);
});
