/** A gigabyte up and down again, as a native builder sends and fetches files: it passes through the isolate, and nothing holds it. */
import type { Miniflare } from "miniflare";
import { BUILDER_PROTOCOL, UPLOAD_PART_BYTES } from "../../../lakehouse/builds/native/wire.ts";
import { DUCKDB_VERSION } from "../../../lakehouse/tables/compiled/models.generated.ts";
import type { Attack, AttackedGateway } from "./attacks.ts";

const RUN = "bench-run";
const DOMAIN = "daily_order_revenue";
const DAY = "2026-11-20";
/** Of an output whose key is an input of the same run too, so that what went up comes down. */
const FILE = `gold/${DOMAIN}/event_date=${DAY}/${RUN}-0.parquet`;
const PARTS = 16;
/** As many requests of a builder at once. */
const AT_ONCE = 4;

/** A run of the local key, whose lease stands for good. */
export async function openBenchRun(runtime: Miniflare): Promise<void> {
  const db = await runtime.getD1Database("DB");
  await db.batch([
    db.prepare(
      `INSERT INTO partition_leases (domain, partition_date, fence, run_id, lease_until) VALUES ('${DOMAIN}', '${DAY}', 1, '${RUN}', 9000000000000) ON CONFLICT DO NOTHING`,
    ),
    db.prepare(
      `INSERT INTO native_runs (run_id, domain, partition_date, fence, builder_id, key_id, started_at)
       SELECT '${RUN}', '${DOMAIN}', '${DAY}', 1, 'bench', key_id, 0 FROM api_keys WHERE producer = 'local' ON CONFLICT DO NOTHING`,
    ),
  ]);
  const lease = { domain: DOMAIN, date: DAY, runId: RUN, fence: 1, version: 1, rebuilds: 0, rebuild: false, now: 0 };
  const standing = {
    order: {
      ...{ protocol: BUILDER_PROTOCOL, run: RUN, renew_every_ms: 10_000, duckdb: DUCKDB_VERSION },
      ...{ table: DOMAIN, date: DAY, sql: "SELECT 1", checks: [] },
      inputs: [{ table: DOMAIN, columns: [], files: [{ file: FILE, bytes: PARTS * UPLOAD_PART_BYTES, rows: 1 }] }],
      output: {
        ...{ columns: [], partition: null, order: [], row_group_rows: 1, file_bytes: 1, metadata: {}, max_rows: null },
      },
    },
    lease: { ...lease, sealed: false, retryCount: 0, vanished: 0, splits: 0, pieces: 0 },
    ...{ content: "", mixed: false },
    built: { rowsIn: 1, inputs: 1, digest: "", completeThrough: null, pins: [] },
  };
  const lake = await runtime.getR2Bucket("LAKE");
  await lake.put(`gold/${DOMAIN}/metadata/orders/${DAY}/${RUN}.json`, JSON.stringify(standing));
}

export const nativeBuild: Attack = {
  name: `a native builder's file of ${PARTS} parts of 64 MB, ${AT_ONCE} at once, up and down`,
  async send({ url, key }) {
    const call = callsTo(new URL(`/v1/builds/runs/${RUN}/`, url), key);
    const opened = await call("POST", "outputs/0/open");
    const { upload }: { upload: string } = JSON.parse(await opened.text());
    const bytes = new Uint8Array(UPLOAD_PART_BYTES);
    const parts: { part: number; etag: string }[] = [];
    const statuses = [opened.status];
    for (let first = 1; first <= PARTS; first += AT_ONCE) {
      const numbers = Array.from({ length: AT_ONCE }, (_, i) => first + i);
      const sent = numbers.map(async (part) => {
        const response = await call("PUT", `outputs/0?upload=${encodeURIComponent(upload)}&part=${part}`, bytes);
        const { etag }: { etag: string } = JSON.parse(await response.text());
        statuses.push(response.status);
        parts.push({ part, etag });
      });
      await Promise.all(sent);
    }
    parts.sort((a, b) => a.part - b.part);
    const joined = await call("POST", "outputs/0/join", JSON.stringify({ upload, parts }));
    await joined.text();
    statuses.push(joined.status);
    const fetched = await call("GET", `inputs?file=${encodeURIComponent(FILE)}`);
    statuses.push(fetched.status);
    let read = 0;
    for await (const chunk of fetched.body ?? []) read += chunk.byteLength;
    if (read !== PARTS * UPLOAD_PART_BYTES) throw new Error(`${read} bytes came back`);
    return statuses;
  },
};

function callsTo(base: URL, key: AttackedGateway["key"]) {
  return (method: string, path: string, body?: Uint8Array<ArrayBuffer> | string): Promise<Response> =>
    fetch(new URL(path, base), {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
      },
      ...(body === undefined ? {} : { body }),
    });
}
