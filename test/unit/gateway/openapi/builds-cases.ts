/** How each documented answer of the calls about builds is produced. */

import { versionSql } from "../../../oracle/version-sql.ts";
import type { Harness } from "../harness.ts";
import { answer } from "../harness.ts";
import { withoutCatalog } from "./calls.ts";
import type { Case, ResponseKey } from "./case.ts";

const DAY = "2026-11-20";

/** Partitions of every kind: one done, one that a check holds back, one of gold. */
export function fillCatalog(harness: Harness): void {
  const checks = JSON.stringify({
    table_name: "silver_orders",
    checked_at: "2026-11-20T10:00:00.000Z",
    results: [
      {
        ...{ layer: "silver", check_name: "known status", metric: "invalidValues", measured: 2, bound: '{"mustBe":0}' },
        ...{ passed: 0, on_fail: "block", failing_rows: "[1,2]", candidate: "silver/orders/a.parquet" },
      },
    ],
  });
  harness.db.sqlite.exec(`
    INSERT INTO partition_inputs (domain, partition_date, version, built_version) VALUES ('orders', '${DAY}', 2, 1), ('orders', '2026-11-19', 1, 1), ('weather', '${DAY}', 1, 0);
    INSERT INTO partition_meta (domain, partition_date, status, run_id, error_message, processed_at) VALUES
      ('orders', '${DAY}', 'FAILED', 'r2', 'QualityGateError: known status', NULL),
      ('orders', '2026-11-19', 'DONE', 'r1', NULL, '2026-11-19T10:00:00.000Z'),
      ('daily_order_revenue', '2026-11-19', 'DONE', 'r3', NULL, '2026-11-19T10:01:00.000Z');
    INSERT INTO partition_leases (domain, partition_date, fence, failure_class, failed_version) VALUES ('orders', '${DAY}', 2, 'data', 2);
    INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at, rows_in, rows_out, error_message, checks) VALUES
      ('orders', '2026-11-19', 'r1', 1, 'DONE', '2026-11-19T09:59:58.000Z', '2026-11-19T10:00:00.000Z', 5, 4, NULL, NULL),
      ('orders', '${DAY}', 'r2', 2, 'FAILED', '2026-11-20T09:59:58.000Z', '2026-11-20T10:00:00.000Z', NULL, NULL, 'QualityGateError', '${checks}');`);
  const files = [{ file: "silver/orders/a.parquet", rows: 4, bytes: 100 }];
  const at = "2026-11-19T10:00:00Z";
  harness.db.sqlite.exec(versionSql({ table: "silver_orders", version: 1, date: "2026-11-19", rows: 4, at, files }));
}

const get =
  (path: string): Case =>
  async (harness) => {
    fillCatalog(harness);
    return await harness.request(path);
  };
const post =
  (path: string, body: unknown): Case =>
  async (harness) => {
    fillCatalog(harness);
    return await harness.post(path, body);
  };
const BACKFILLS = "/v1/backfills";
const WANTED = { table: "silver_orders", from: "2026-11-01", to: "2026-11-30", reprocess: "completed" };
/** A backfill and then a call to it. */
const onBackfill =
  (call: (harness: Harness, address: string) => Promise<Response>): Case =>
  async (harness) => {
    fillCatalog(harness);
    const { backfill_id }: { backfill_id: string } = JSON.parse(await (await harness.post(BACKFILLS, WANTED)).text());
    return await call(harness, `${BACKFILLS}/${backfill_id}`);
  };
const changeCases = (action: "cancel" | "resume"): Record<ResponseKey, Case> => ({
  "200": onBackfill(async (harness, address) => {
    if (action === "resume") await answer(await harness.post(`${address}/cancel`, {}));
    return await harness.post(`${address}/${action}`, {});
  }),
  "404 UNKNOWN_BACKFILL": (harness) => harness.post(`${BACKFILLS}/none/${action}`, {}),
  "409 BACKFILL_STATE": onBackfill(async (harness, address) => {
    if (action === "cancel") await harness.post(`${address}/cancel`, {});
    return await harness.post(`${address}/${action}`, {});
  }),
  "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.post(`${BACKFILLS}/none/${action}`, {})),
});

const PARTITION = `/v1/partitions/silver_orders/${DAY}`;
const DECISION = { action: "accept", reason: "two orders of a partner, known" };

export const buildsCases: Readonly<Record<string, Record<ResponseKey, Case>>> = {
  "GET /v1/partitions": {
    "200": get("/v1/partitions?table=orders&from=2026-11-01&limit=1"),
    "400 INVALID_PARAMETER": get("/v1/partitions?status=LOST"),
    "404 UNKNOWN_TABLE": get("/v1/partitions?table=nope"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.request("/v1/partitions")),
  },
  "GET /v1/partitions/{table}/{date}": {
    "200": get(PARTITION),
    "400 INVALID_PARAMETER": get("/v1/partitions/silver_orders/today"),
    "404 UNKNOWN_TABLE": get(`/v1/partitions/nope/${DAY}`),
    "404 UNKNOWN_PARTITION": get("/v1/partitions/silver_orders/2020-01-01"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.request(PARTITION)),
  },
  "POST /v1/partitions/{table}/{date}/decisions": {
    "201": post(`${PARTITION}/decisions`, DECISION),
    "400 INVALID_PARAMETER": post(`${PARTITION}/decisions`, { action: "accept" }),
    "404 UNKNOWN_TABLE": post(`/v1/partitions/nope/${DAY}/decisions`, DECISION),
    "404 UNKNOWN_PARTITION": post("/v1/partitions/silver_orders/2020-01-01/decisions", DECISION),
    "409 NOTHING_TO_DECIDE": post("/v1/partitions/silver_orders/2026-11-19/decisions", DECISION),
    "413 BODY_TOO_LARGE": post(`${PARTITION}/decisions`, " ".repeat(300_000)),
    "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.post(`${PARTITION}/decisions`, DECISION)),
  },
  "GET /v1/runs": {
    "200": get("/v1/runs?table=silver_orders&limit=1"),
    "400 INVALID_PARAMETER": get("/v1/runs?date=today"),
    "404 UNKNOWN_TABLE": get("/v1/runs?table=nope"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.request("/v1/runs")),
  },
  "GET /v1/quality": {
    "200": get("/v1/quality?passed=false"),
    "400 INVALID_PARAMETER": get("/v1/quality?passed=no"),
    "404 UNKNOWN_TABLE": get("/v1/quality?table=nope"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.request("/v1/quality")),
  },
  "POST /v1/backfills": {
    "200": post(BACKFILLS, { ...WANTED, dry_run: true }),
    "201": post(BACKFILLS, WANTED),
    "400 INVALID_PARAMETER": post(BACKFILLS, { ...WANTED, to: "2026-10-01" }),
    "404 UNKNOWN_TABLE": post(BACKFILLS, { ...WANTED, table: "nope" }),
    "413 BODY_TOO_LARGE": post(BACKFILLS, " ".repeat(300_000)),
    "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.post(BACKFILLS, WANTED)),
  },
  "GET /v1/backfills": {
    "200": onBackfill((harness) => harness.request(BACKFILLS)),
    "400 INVALID_PARAMETER": get(`${BACKFILLS}?limit=0`),
    "404 UNKNOWN_TABLE": get(`${BACKFILLS}?table=nope`),
    "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.request(BACKFILLS)),
  },
  "GET /v1/backfills/{backfill_id}": {
    "200": onBackfill((harness, address) => harness.request(address)),
    "404 UNKNOWN_BACKFILL": get(`${BACKFILLS}/none`),
    "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.request(`${BACKFILLS}/none`)),
  },
  "POST /v1/backfills/{backfill_id}/cancel": changeCases("cancel"),
  "POST /v1/backfills/{backfill_id}/resume": changeCases("resume"),
};
