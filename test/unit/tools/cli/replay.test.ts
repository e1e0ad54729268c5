import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { command } from "../../../../tools/cli/replay.ts";
import { addKey, createHarness, type Harness, keyNamed, order } from "../../gateway/harness.ts";
import { land } from "../../gateway/land.ts";
import { printedBy } from "./printed-by.ts";

let harness: Harness;
beforeEach(async () => {
  harness = createHarness();
  vi.stubGlobal("fetch", (url: URL, init: RequestInit) => harness.bare(`${url.pathname}${url.search}`, init));
  await harness.post("/v1/topics/orders/events", [order("a"), order("b")]);
  await land(harness);
  harness.db.sqlite.exec(
    "INSERT INTO partition_meta (domain, partition_date, status) VALUES ('orders', '2026-11-21', 'DONE')",
  );
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const run = (line: string) => printedBy(command, line);

function status(): unknown {
  return harness.db.sqlite.prepare("SELECT status FROM partition_meta").get()?.["status"];
}

const DAY = "--topic orders --from 2026-11-21 --to 2026-11-22";

test("without --yes it says what would be built, and how to do it", async () => {
  const said = await run(DAY);
  expect(said).toMatch(/2026-11-21 +1 +2 +DONE\n1 partition would be built again: silver_orders, daily_order_revenue/);
  expect(said).toContain(`sluice replay ${DAY} --yes`);
  expect([await run(`${DAY} --dry-run`), status()]).toEqual([expect.stringContaining("would be"), "DONE"]);
  expect(await run("--topic orders --from 2026-11-22 --to 2026-11-23")).toContain("No partition of the topic");
});

test("with --yes the partitions wait for a build", async () => {
  expect(await run(`${DAY} --yes`)).toContain("1 partition is built again");
  expect(status()).toBe("PENDING");
});

test("partitions whose bronze is retired are refused and named", async () => {
  harness.db.sqlite.exec("INSERT INTO sealed_partitions VALUES ('orders', '2026-11-21', 'now')");
  expect(await run(`${DAY} --yes`)).toMatch(/^2026-11-21 is refused: BRONZE_RETIRED/);
  expect(status()).toBe("DONE");
});

test("wrong usage, and a key that may not", async () => {
  await expect(run("--topic orders")).rejects.toThrow(/--from TIME/);
  await expect(run(`${DAY} --yes --dry-run`)).rejects.toThrow(/either/);
  await expect(run("--topic orders --from yesterday --to 2026-11-22")).rejects.toThrow(/400: from: expected/);
  addKey(harness.db, "reader", ["*:read"]);
  await expect(run(`${DAY} --key ${keyNamed("reader")}`)).rejects.toThrow(/403: .*TOPIC:admin/);
});
