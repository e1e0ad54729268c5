/** How each documented answer of the calls of native builders is produced. */

import { outputKey } from "../../../../lakehouse/builds/native/outputs.ts";
import { BUILDER_PROTOCOL, UPLOAD_PART_BYTES } from "../../../../lakehouse/builds/native/wire.ts";
import { DUCKDB_VERSION } from "../../../../lakehouse/tables/compiled/models.generated.ts";
import { tableOf } from "../../../oracle/lake.ts";
import type { Harness } from "../harness.ts";
import { withBusyLake, withoutCatalog } from "./calls.ts";
import type { Case, ResponseKey } from "./case.ts";

const DAY = "2026-11-20";
const DOMAIN = "daily_order_revenue";
const RUN = "/v1/builds/runs/run-1";
const INPUT = "silver/orders/event_date=2026-11-20/a-0.parquet";
const INPUTS = `${RUN}/inputs?file=${encodeURIComponent(INPUT)}`;

function table() {
  const found = tableOf(DOMAIN);
  if (found.kind !== "model") throw new Error(`${DOMAIN} is a model`);
  return found;
}

/** A run of the local key, whose lease stands and which reads one file. `lost`: its lease is another's. */
async function stands(harness: Harness, lost = false): Promise<void> {
  const fence = lost ? 4 : 3;
  harness.db.sqlite.exec(`
    INSERT INTO partition_meta (domain, partition_date, status, run_id) VALUES ('${DOMAIN}', '${DAY}', 'IN_FLIGHT', 'run-1');
    INSERT INTO partition_leases (domain, partition_date, fence, run_id, lease_until) VALUES ('${DOMAIN}', '${DAY}', ${fence}, 'run-1', 9000000000000);
    INSERT INTO native_runs (run_id, domain, partition_date, fence, builder_id, key_id, started_at)
      SELECT 'run-1', '${DOMAIN}', '${DAY}', 3, 'b', key_id, 0 FROM api_keys;`);
  const lease = {
    domain: DOMAIN,
    date: DAY,
    runId: "run-1",
    fence: 3,
    version: 1,
    rebuilds: 0,
    rebuild: false,
    now: 0,
  };
  const standing = {
    order: {
      ...{ protocol: BUILDER_PROTOCOL, run: "run-1", renew_every_ms: 10_000, duckdb: DUCKDB_VERSION },
      ...{ table: DOMAIN, date: DAY, sql: "SELECT 1", checks: [] },
      inputs: [{ table: "silver_orders", columns: [], files: [{ file: INPUT, bytes: 4, rows: 1 }] }],
      output: {
        ...{ columns: [], partition: null, order: [], row_group_rows: 1, file_bytes: 1, metadata: {}, max_rows: null },
      },
    },
    lease: { ...lease, sealed: false, retryCount: 0, vanished: 0, splits: 0, pieces: 0 },
    ...{ content: "another release's", mixed: false },
    built: { rowsIn: 1, inputs: 1, digest: "d", completeThrough: null, pins: [] },
  };
  await harness.bucket.put(`gold/${DOMAIN}/metadata/orders/${DAY}/run-1.json`, JSON.stringify(standing));
  await harness.bucket.put(INPUT, Uint8Array.of(1, 2, 3, 4));
}

const onRun =
  (next: Case, lost = false): Case =>
  async (harness) => {
    await stands(harness, lost);
    return await next(harness);
  };
const onLost = (next: Case): Case => onRun(next, true);
/** The bucket fails at whatever the call asks it first. */
const withoutLake = (next: Case): Case =>
  onRun(async (harness) => {
    harness.bucket.failures.push(new Error("R2 does not answer"));
    return await next(harness);
  });

const post =
  (path: string, body: unknown = {}): Case =>
  (harness) =>
    harness.post(path, body);
const get =
  (path: string, headers: Record<string, string> = {}): Case =>
  (harness) =>
    harness.request(path, { headers });
const put =
  (path: string, length = 4): Case =>
  (harness) =>
    harness.request(path, {
      method: "PUT",
      body: Uint8Array.of(1, 2, 3, 4),
      headers: { "content-length": String(length) },
    });

const ASKED = {
  protocol: BUILDER_PROTOCOL,
  builder: {
    ...{
      id: "019aa000-0000-4000-8000-000000000001",
      name: "host",
      duckdb: DUCKDB_VERSION,
      memory_bytes: 1,
      threads: 1,
    },
  },
};
const RENEWED = { phase: "run", done: null };
const FAILED = { class: "system", message: "the disk is full" };
const COMMITTED = { files: [{ bytes: 4, rows: 1 }], measures: [] };
const JOINED = { upload: "upload-0", parts: [{ part: 1, etag: "08d6c05a21512a79a1dfeb9d2a8f262f" }] };
const LARGE = { padding: " ".repeat(1_100_000) };

/** What every call to a run answers to one that is not there, or not the builder's any more. */
const ofRun = (call: Case, withBody: boolean, path: string): Record<ResponseKey, Case> => ({
  "404 UNKNOWN_RUN": call,
  "409 LEASE_LOST": onLost(call),
  "503 CATALOG_UNAVAILABLE": withoutCatalog(call),
  ...(withBody
    ? { "400 INVALID_PARAMETER": onRun(post(path, { nothing: 1 })), "413 BODY_TOO_LARGE": post(path, LARGE) }
    : {}),
});

const renewal = post(`${RUN}/renew`, RENEWED);
const failure = post(`${RUN}/fail`, FAILED);
const commit = post(`${RUN}/commit`, COMMITTED);
const output = put(`${RUN}/outputs/0`);
const opening = post(`${RUN}/outputs/0/open`);
const joining = post(`${RUN}/outputs/0/join`, JOINED);

export const nativeBuildsCases: Readonly<Record<string, Record<ResponseKey, Case>>> = {
  "POST /v1/builds/lease": {
    "200": post("/v1/builds/lease", ASKED),
    "400 INVALID_PARAMETER": post("/v1/builds/lease", {}),
    "409 BUILDER_MISMATCH": post("/v1/builds/lease", { ...ASKED, protocol: BUILDER_PROTOCOL + 1 }),
    "413 BODY_TOO_LARGE": post("/v1/builds/lease", LARGE),
    "503 LAKE_UNAVAILABLE": withoutCatalog(post("/v1/builds/lease", ASKED)),
  },
  "POST /v1/builds/runs/{run}/renew": { "204": onRun(renewal), ...ofRun(renewal, true, `${RUN}/renew`) },
  "GET /v1/builds/runs/{run}/inputs": {
    "200": onRun(get(INPUTS)),
    "206": onRun(get(INPUTS, { range: "bytes=1-2" })),
    ...ofRun(get(INPUTS), false, ""),
    "400 INVALID_PARAMETER": onRun(get(INPUTS, { range: "lines=1-2" })),
    "404 NOT_AN_INPUT": onRun(get(`${RUN}/inputs?file=silver/orders/current.json`)),
    "410 INPUT_GONE": onRun(async (harness) => {
      await harness.bucket.delete(INPUT);
      return await harness.request(INPUTS);
    }),
    "412 INPUT_CHANGED": onRun(get(INPUTS, { "if-match": '"another"' })),
    "416 RANGE_NOT_SATISFIABLE": onRun(get(INPUTS, { range: "bytes=4-" })),
    "503 LAKE_UNAVAILABLE": withoutLake(get(INPUTS)),
  },
  "PUT /v1/builds/runs/{run}/outputs/{n}": {
    "200": onRun(output),
    ...ofRun(output, false, ""),
    "400 INVALID_PARAMETER": onRun(put(`${RUN}/outputs/many`)),
    "409 OUTPUT_EXISTS": onRun(async (harness) => {
      await harness.bucket.put(outputKey(table(), DAY, "run-1", 0), Uint8Array.of(1));
      return await output(harness);
    }),
    "413 BODY_TOO_LARGE": onRun(put(`${RUN}/outputs/0`, UPLOAD_PART_BYTES + 1)),
    "503 LAKE_UNAVAILABLE": withoutLake(output),
  },
  "POST /v1/builds/runs/{run}/outputs/{n}/open": {
    "201": onRun(opening),
    ...ofRun(opening, false, ""),
    "400 INVALID_PARAMETER": onRun(post(`${RUN}/outputs/many/open`)),
    "503 LAKE_UNAVAILABLE": withoutLake(opening),
  },
  "POST /v1/builds/runs/{run}/outputs/{n}/join": {
    "200": onRun(async (harness) => {
      await opening(harness);
      await put(`${RUN}/outputs/0?upload=upload-0&part=1`)(harness);
      return await joining(harness);
    }),
    ...ofRun(joining, true, `${RUN}/outputs/0/join`),
    "503 LAKE_UNAVAILABLE": onRun(joining),
  },
  "POST /v1/builds/runs/{run}/commit": {
    "200": onRun(commit),
    ...ofRun(commit, true, `${RUN}/commit`),
    "503 LAKE_BUSY": onRun(withBusyLake(commit)),
    "503 LAKE_UNAVAILABLE": withoutLake(commit),
  },
  "POST /v1/builds/runs/{run}/fail": {
    "204": onRun(failure),
    ...ofRun(failure, true, `${RUN}/fail`),
    "503 LAKE_UNAVAILABLE": withoutLake(failure),
  },
};
