/** `sluice partitions`, `sluice runs` and `sluice backfill`, against a gateway. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance } from "../../../../sql/statements/backfills.ts";
import { command as backfill } from "../../../../tools/cli/backfill.ts";
import { command as partitions } from "../../../../tools/cli/partitions.ts";
import { command as runs } from "../../../../tools/cli/runs.ts";
import { addKey, createHarness, type Harness, keyNamed } from "../../gateway/harness.ts";
import { fillCatalog } from "../../gateway/openapi/builds-cases.ts";
import { printedBy } from "./printed-by.ts";

let harness: Harness;
beforeEach(() => {
  harness = createHarness();
  vi.stubGlobal("fetch", (url: URL, init: RequestInit) => harness.bare(`${url.pathname}${url.search}`, init));
  fillCatalog(harness);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const status = (domain: string, date: string): unknown =>
  harness.db.sqlite
    .prepare("SELECT status FROM partition_meta WHERE domain = ? AND partition_date = ?")
    .get(domain, date)?.["status"];

test("partitions: a table with what each waits for, counts, and where to read more", async () => {
  const said = await printedBy(partitions, "list");
  expect(said).toMatch(/silver_weather +2026-11-20 +UNDISCOVERED +0 +0 +0 +0 +never +its first input has arrived/);
  expect(said).toMatch(/daily_order_revenue +2026-11-19 +DONE .* nothing: it is built/);
  expect(said).toContain("2 DONE, 1 FAILED, 1 UNDISCOVERED");
  expect(said).toContain("sluice partitions show silver_orders 2026-11-20");
  expect(await printedBy(partitions, "list --limit 1")).toContain("there are more: --limit N");
  expect(await printedBy(partitions, "list --table weather --status done")).toMatch(/^No partitions/);
  const json: unknown = JSON.parse(await printedBy(partitions, "list --json --status failed"));
  expect(json).toMatchObject({ partitions: [{ table: "silver_orders", domain: "orders", status: "FAILED" }] });
});

test("partitions show: why it waits, what to do, its checks and runs", async () => {
  const said = await printedBy(partitions, "show orders 2026-11-20");
  expect(said).toMatch(/waits for +new input, another contract or model, or a person.*QualityGateError/);
  expect(said).toMatch(/what to do +.*sluice partitions accept\|quarantine\|discard silver_orders 2026-11-20/);
  expect(said).toMatch(/known status +2 +\{"mustBe":0\} +NO +block/);
  expect(said).toMatch(/r2 +build +FAILED/);
  expect(said).toMatch(/steps +0 done, 0 rows to read/);
  expect(said).toMatch(/published +nothing/);
  await expect(printedBy(partitions, "show orders 2020-01-01")).rejects.toThrow(
    /404: nothing of silver_orders 2020-01-01/,
  );
  await expect(printedBy(partitions, "show nope 2020-01-01")).rejects.toThrow(/404: no table "nope"/);
  await expect(printedBy(partitions, "show orders")).rejects.toThrow(/TABLE and DATE/);
});

test("partitions show: the checks that wait for the closing, and when they are judged", async () => {
  const today = new Date().toISOString().slice(0, 10);
  harness.db.sqlite.exec(`
    INSERT INTO partition_meta (domain, partition_date, status) VALUES ('orders', '${today}', 'DONE');
    INSERT INTO partition_leases (domain, partition_date, awaits_closing) VALUES ('orders', '${today}', 1);`);
  const said = await printedBy(partitions, `show orders ${today}`);
  expect(said).toMatch(/waits for +its closing: .* one check is judged then, at \d{4}-\d\d-\d\dT01:02:00Z/);
  expect(said).toMatch(
    /Checks that wait until it has closed\n.*\n.*\n *silver +an order keeps its currency +\{"mustBe":0\} +warn +2/,
  );
  expect(await printedBy(partitions, "show orders 2026-11-20")).not.toContain("Checks that wait");
});

test("a held partition is ended with a reason, which is kept", async () => {
  await expect(printedBy(partitions, "accept orders 2026-11-20")).rejects.toThrow(/takes --reason TEXT/);
  expect(await printedBy(partitions, "accept orders 2026-11-20 --reason known")).toMatch(
    /silver_orders 2026-11-20: accept, noted for key key_\w+\.\n.*in spite of: "known status" \(measured 2\)/,
  );
  expect(status("orders", "2026-11-20")).toBe("PENDING");
  const said = await printedBy(partitions, "show orders 2026-11-20");
  expect(said).toMatch(/key_\w+ +accept +known/);
  await expect(printedBy(partitions, "discard orders 2026-11-19 --reason x")).rejects.toThrow(
    /409: silver_orders 2026-11-19 is DONE/,
  );
});

test("a discarded partition is done, and a reader may not decide", async () => {
  addKey(harness.db, "reader", ["*:read"]);
  const reader = `--key ${keyNamed("reader")}`;
  await expect(printedBy(partitions, `discard orders 2026-11-20 --reason x ${reader}`)).rejects.toThrow(
    /403: .*orders:admin/,
  );
  expect(await printedBy(partitions, `show orders 2026-11-20 ${reader}`)).toContain("FAILED");
  expect(await printedBy(partitions, "discard orders 2026-11-20 --reason garbage")).toContain(
    "until there is new input",
  );
  expect(status("orders", "2026-11-20")).toBe("DONE");
});

test("runs: the last first, with filters", async () => {
  const said = await printedBy(runs, "--limit 5");
  expect(said).toMatch(/silver_orders +2026-11-20 +build +FAILED +2\.0/);
  expect(said.indexOf("2026-11-20 ")).toBeLessThan(said.indexOf("2026-11-19 "));
  expect(await printedBy(runs, "--table orders --status done --date 2026-11-19 --json")).toContain('"run_id": "r1"');
  expect(await printedBy(runs, "--status lost")).toBe("No runs.");
  await expect(printedBy(runs, "--limit none")).rejects.toThrow(/--limit takes a whole number/);
});

const NOVEMBER = "--table orders --from 2026-11-01 --to 2026-11-30";

test("backfill: a dry run changes nothing and says how to do it", async () => {
  const said = await printedBy(backfill, `${NOVEMBER} --reprocess failed --dry-run`);
  expect(said).toMatch(/silver_orders +2026-11-20 +FAILED\n1 partition would be built: silver_orders/);
  expect(said).toContain("What reads them follows by itself: daily_order_revenue");
  expect(said).toContain("1 partition of the time stays as they are");
  expect(said).toContain(`sluice backfill ${NOVEMBER} --reprocess failed`);
  expect(await printedBy(backfill, "list")).toBe("No backfills.");
  expect(await printedBy(backfill, NOVEMBER)).toContain("There is nothing to build");
});

test("backfill: begun, listed, followed to its end, cancelled and resumed", async () => {
  const begun = await printedBy(backfill, `${NOVEMBER} --reprocess completed --max-active 1 --no-wait`);
  const [id = ""] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(begun) ?? [];
  expect(begun).toContain(`Backfill ${id} of silver_orders has begun, 1 partitions at a time.`);
  expect(await printedBy(backfill, "list")).toMatch(/silver_orders +silver .* completed +RUNNING +0 of 2 built/);
  await advance(harness.db.d1, [id], { behindMs: 30_000, native: { all: [], sent: [] } });
  expect(status("orders", "2026-11-20")).toBe("PENDING");
  expect(await printedBy(backfill, `show ${id}`)).toContain(
    "0 of 2 built, 1 under way\n  under way: silver_orders 2026-11-20 (PENDING)",
  );
  expect(await printedBy(backfill, `cancel ${id}`)).toContain("CANCELLING: 0 of 2 built, 1 under way, 1 cancelled");
  await expect(printedBy(backfill, `cancel ${id}`)).rejects.toThrow(/409: backfill .* is CANCELLING/);
  expect(await printedBy(backfill, `resume ${id}`)).toContain("RUNNING");
  harness.db.sqlite.exec("UPDATE partition_meta SET status = 'DONE'");
  await advance(harness.db.d1, [id], { behindMs: 30_000, native: { all: [], sent: [] } });
  harness.db.sqlite.exec("UPDATE partition_meta SET status = 'DEAD', error_message = 'gone' WHERE status = 'PENDING'");
  await advance(harness.db.d1, [id], { behindMs: 30_000, native: { all: [], sent: [] } });
  await expect(printedBy(backfill, `show ${id} --wait`)).rejects.toThrow(
    `1 partitions failed. See to the causes, then: sluice backfill resume ${id}`,
  );
  expect(await printedBy(backfill, `show ${id}`)).toContain("failed: silver_orders 2026-11-19: gone");
});

test("backfill: wrong usage, and a key that may not", async () => {
  await expect(printedBy(backfill, "--table orders")).rejects.toThrow(/--from DATE --to DATE/);
  await expect(printedBy(backfill, "show")).rejects.toThrow(/show ID/);
  await expect(printedBy(backfill, "--table orders --from 2026-11-02 --to 2026-11-01")).rejects.toThrow(/400: from/);
  await expect(
    printedBy(backfill, "--table daily_order_revenue --from 2026-11-01 --to 2026-11-02 --layer silver"),
  ).rejects.toThrow(/400: layer: daily_order_revenue is a gold table.*silver_orders/);
  addKey(harness.db, "operator", ["orders:admin"]);
  const operator = `--key ${keyNamed("operator")} --dry-run`;
  expect(await printedBy(backfill, `${NOVEMBER} ${operator}`)).toContain("nothing to build");
  await expect(printedBy(backfill, `${NOVEMBER} --layer gold ${operator}`)).rejects.toThrow(/403: .*\*:admin/);
});
