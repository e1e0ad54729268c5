/** `sluice tables`, against a gateway. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { command } from "../../../../tools/cli/tables.ts";
import { versionSql } from "../../../oracle/version-sql.ts";
import { addKey, createHarness, type Harness, keyNamed } from "../../gateway/harness.ts";
import { printedBy } from "./printed-by.ts";

const DATE = "2026-11-20";
let harness: Harness;

beforeEach(() => {
  harness = createHarness();
  vi.stubGlobal("fetch", (url: URL, init: RequestInit) => harness.bare(`${url.pathname}${url.search}`, init));
  for (const [version, rows] of [
    [1, 10],
    [2, 7],
  ] as const) {
    const file = { file: `silver/orders/event_date=${DATE}/r${version}-0.parquet`, rows, bytes: 100 };
    harness.db.sqlite.exec(versionSql({ table: "silver_orders", version, date: DATE, rows, files: [file] }));
  }
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("tables and versions are listed; a table is rolled back, held, shown as held, and released", async () => {
  expect(await printedBy(command, "list")).toMatch(/silver_orders +2 +1 +0 +7/);
  expect(await printedBy(command, "versions silver_orders")).toMatch(/\n +2 .*commit +7 +7 +yes\n +1 .*commit +10/);
  const said = await printedBy(command, "rollback silver_orders --version 1 --reason wrong");
  expect(said).toContain(`silver_orders ${DATE}: 10 rows, as of its version 1`);
  expect(said).toContain("sluice tables release silver_orders");
  expect(await printedBy(command, "list")).toMatch(/silver_orders +3 +1 +1 +10/);
  const files = JSON.parse(await (await harness.request("/v1/tables/silver_orders/files")).text());
  expect(files.files).toMatchObject([{ added: 3, file: expect.stringContaining("r1-0") }]);
  expect(await printedBy(command, "rollback silver_orders --version 1 --reason again")).toContain("Nothing");
  expect(await printedBy(command, "release silver_orders")).toMatch(/held at version 1 \(wrong \(key /);
  expect(await printedBy(command, "release silver_orders")).toContain("No rollback holds");
});

test("what cannot be done is refused", async () => {
  await expect(printedBy(command, "rollback silver_orders --version 1")).rejects.toThrow("--reason");
  await expect(printedBy(command, "rollback silver_orders --version 9 --reason x")).rejects.toThrow("version 9");
  await expect(printedBy(command, "versions")).rejects.toThrow("TABLE");
  addKey(harness.db, "reader", ["orders:read"]);
  const flags = `--version 1 --reason x --key ${keyNamed("reader")}`;
  await expect(printedBy(command, `rollback silver_orders ${flags}`)).rejects.toThrow(/orders:admin/);
});
