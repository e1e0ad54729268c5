import { versionSql } from "../../../oracle/version-sql.ts";
import type { Harness } from "../harness.ts";
import { addKey, answer, bearer, createHarness, order } from "../harness.ts";
import { land } from "../land.ts";
import { buildsCases } from "./builds-cases.ts";
import { EVENTS, get, send, withBusyLake, withoutCatalog, withoutMemory } from "./calls.ts";
import type { Case, ResponseKey } from "./case.ts";
import { deadLettersCases, parkedCases } from "./dead-letters-cases.ts";
import { keysCases } from "./keys-cases.ts";
import { nativeBuildsCases } from "./native-builds-cases.ts";
import { registryCases } from "./registry-cases.ts";

async function publish(harness: Harness): Promise<void> {
  const files = [
    { file: "silver/orders/a.parquet", rows: 10, bytes: 100 },
    { file: "quarantine/orders/a.parquet", rows: 2, bytes: 90, kind: "quarantine" },
  ];
  harness.db.sqlite.exec(versionSql({ table: "silver_orders", version: 1, date: "2026-11-20", rows: 10, files }));
}
const ROLLBACK = { version: 1, reason: "why" };
const published =
  (path: string): Case =>
  async (harness) => {
    await publish(harness);
    return await harness.request(path);
  };

const eventsCases: Record<ResponseKey, Case> = {
  "202": send([order("a")]),
  "207": send([order("a"), order("b", { amount: -1 })]),
  "422": send([order("b", { amount: -1 })]),
  "400 MALFORMED_PAYLOAD": send("{"),
  "400 EMPTY_BODY": send("[]"),
  "400 INVALID_PARAMETER": send([], `${EVENTS}?dry_run=maybe`),
  "403 ORIGIN_NOT_ALLOWED": async (harness) => {
    harness.db.sqlite.exec("UPDATE api_keys SET kind = 'publishable'");
    return await harness.post(EVENTS, [order("a")], { origin: "https://elsewhere.example" });
  },
  "403 PLATFORM_TOPIC": send([], "/v1/topics/dead_letters/events"),
  "404 UNKNOWN_TOPIC": send([], "/v1/topics/nope/events"),
  "409 IDEMPOTENCY_KEY_REUSED": async (harness) => {
    await harness.post(EVENTS, [order("a")], { "idempotency-key": "k" });
    return await harness.post(EVENTS, [order("b")], { "idempotency-key": "k" });
  },
  "408 BODY_TIMEOUT": async () => {
    const impatient = createHarness({ limits: { deadlines: { idleMs: 1, totalMs: 1 } } });
    const time = setInterval(() => impatient.clock.advance(1), 1);
    // Node demands the word for a stream; the Worker's types do not know it.
    const init = Object.assign(
      { method: "POST", body: new ReadableStream(), headers: { "content-type": "application/json" } },
      { duplex: "half" },
    );
    try {
      return await impatient.request(EVENTS, init);
    } finally {
      clearInterval(time);
    }
  },
  "503 OVERLOADED": () => withoutMemory().post(EVENTS, [order("b")]),
  "413 BODY_TOO_LARGE": (harness) => harness.post(EVENTS, " ".repeat(300_000)),
  "413 TOO_MANY_EVENTS": send(Array.from({ length: 101 }, () => ({}))),
  "415 UNSUPPORTED_MEDIA_TYPE": (harness) => harness.post(EVENTS, "a", { "content-type": "text/csv" }),
  "415 UNSUPPORTED_CONTENT_ENCODING": (harness) => harness.post(EVENTS, "a", { "content-encoding": "zstd" }),
  "503 MASKING_KEYS_UNAVAILABLE": async () => {
    const deployed = createHarness({ environment: "staging", secrets: {} });
    addKey(deployed.db, "deployed", ["*:write"], null, "staging");
    const key = { authorization: bearer("deployed", "staging") };
    return await deployed.post("/v1/topics/users/events", [{}], key);
  },
  "503 RECEIPTS_UNAVAILABLE": async (harness) => {
    harness.failReceipts();
    return await harness.post(EVENTS, [order("a")], { "idempotency-key": "k" });
  },
  "503 BACK_PRESSURE": async (harness) => {
    harness.db.sqlite.exec(
      "INSERT INTO back_pressure VALUES ('orders', '2999-01-01T00:00:00.000Z', 'a shard is far behind', '2026-01-01T00:00:00.000Z')",
    );
    await harness.post(EVENTS, [order("a")]);
    return await harness.post(EVENTS, [order("b")]);
  },
  "503 QUEUE_UNAVAILABLE": async (harness) => {
    harness.failAllSends();
    return await harness.post(EVENTS, [order("a")]);
  },
};

const topicCases = (rest: string): Record<ResponseKey, Case> => ({
  "200": get(`/v1/contracts/orders${rest}`),
  "404 UNKNOWN_TOPIC": get(`/v1/contracts/nope${rest}`),
});

/** By operation, then by status and code. The cases that follow from how a call is protected are the test's own. */
export const cases: Record<string, Record<ResponseKey, Case>> = {
  "POST /v1/topics/{topic}/events": eventsCases,
  "GET /v1/topics": { "200": get("/v1/topics") },
  "GET /v1/topics/{topic}": { "200": get("/v1/topics/orders"), "404 UNKNOWN_TOPIC": get("/v1/topics/nope") },
  "GET /v1/topics/{topic}/lag": {
    "200": get("/v1/topics/orders/lag?waiting=true"),
    "400 INVALID_PARAMETER": get("/v1/topics/orders/lag?since=today"),
    "404 UNKNOWN_TOPIC": get("/v1/topics/nope/lag"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/v1/topics/orders/lag")),
  },
  "GET /v1/topics/{topic}/events": {
    "200": get("/v1/topics/orders/events?limit=5"),
    "400 INVALID_PARAMETER": get("/v1/topics/orders/events?limit=0"),
    "404 UNKNOWN_TOPIC": get("/v1/topics/nope/events"),
    "503 LAKE_BUSY": withBusyLake(get("/v1/topics/orders/events")),
    "503 LAKE_UNAVAILABLE": withoutCatalog(get("/v1/topics/orders/events")),
  },
  "POST /v1/topics/{topic}/flush": {
    "202": async (harness) => {
      harness.db.sqlite.exec(
        "INSERT INTO shards (topic, shard, shard_of, first_seen) VALUES ('orders', 0, 1, '2026-11-20T10:00:00Z')",
      );
      return await harness.post("/v1/topics/orders/flush", "");
    },
    "404 UNKNOWN_TOPIC": send("", "/v1/topics/nope/flush"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog(send("", "/v1/topics/orders/flush")),
  },
  "GET /v1/activity": {
    "200": get("/v1/activity?hours=24"),
    "400 INVALID_PARAMETER": get("/v1/activity?hours=0"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/v1/activity")),
  },
  "GET /v1/topics/{topic}/activity": {
    "200": get("/v1/topics/orders/activity"),
    "400 INVALID_PARAMETER": get("/v1/topics/orders/activity?hours=25"),
    "404 UNKNOWN_TOPIC": get("/v1/topics/nope/activity"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/v1/topics/orders/activity")),
  },
  "GET /v1/contracts/{topic}": {
    ...topicCases(""),
    "400 INVALID_PARAMETER": get("/v1/contracts/orders?format=xml"),
  },
  "GET /v1/contracts/{topic}/example": topicCases("/example"),
  "GET /v1/contracts/{topic}/schema.json": topicCases("/schema.json"),
  "GET /v1/tables": {
    "200": published("/v1/tables"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/v1/tables")),
  },
  "POST /v1/tables/{table}/rollback": {
    "200": async (harness) => {
      await publish(harness);
      const files = [{ file: "silver/orders/b.parquet", rows: 11, bytes: 100 }];
      harness.db.sqlite.exec(versionSql({ table: "silver_orders", version: 2, date: "2026-11-20", rows: 11, files }));
      return await harness.post("/v1/tables/silver_orders/rollback", ROLLBACK);
    },
    "400 INVALID_PARAMETER": (harness) => harness.post("/v1/tables/silver_orders/rollback", { version: 1 }),
    "404 UNKNOWN_TABLE": (harness) => harness.post("/v1/tables/nope/rollback", ROLLBACK),
    "404 UNKNOWN_VERSION": (harness) => harness.post("/v1/tables/silver_orders/rollback", ROLLBACK),
    "413 BODY_TOO_LARGE": (harness) => harness.post("/v1/tables/silver_orders/rollback", " ".repeat(300_000)),
    "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.post("/v1/tables/silver_orders/rollback", ROLLBACK)),
  },
  "POST /v1/tables/{table}/release": {
    "200": async (harness) => {
      harness.db.sqlite.exec(
        "INSERT INTO pinned_partitions VALUES ('orders', '2026-11-20', 1, 'why', '2026-11-21T10:00:00Z')",
      );
      return await harness.post("/v1/tables/silver_orders/release", {});
    },
    "400 INVALID_PARAMETER": (harness) => harness.post("/v1/tables/silver_orders/release", { partition: "today" }),
    "404 UNKNOWN_TABLE": (harness) => harness.post("/v1/tables/nope/release", {}),
    "413 BODY_TOO_LARGE": (harness) => harness.post("/v1/tables/silver_orders/release", " ".repeat(300_000)),
    "503 CATALOG_UNAVAILABLE": withoutCatalog((harness) => harness.post("/v1/tables/silver_orders/release", {})),
  },
  "GET /v1/tables/{table}/versions": {
    "200": published("/v1/tables/silver_orders/versions"),
    "400 INVALID_PARAMETER": get("/v1/tables/silver_orders/versions?limit=0"),
    "404 UNKNOWN_TABLE": get("/v1/tables/nope/versions"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/v1/tables/silver_orders/versions")),
  },
  "GET /v1/tables/{table}/files": {
    "200": published("/v1/tables/silver_orders/files?partition=2026-11-20"),
    "400 INVALID_PARAMETER": get("/v1/tables/bronze_orders/files?version=1"),
    "404 UNKNOWN_TABLE": get("/v1/tables/nope/files"),
    "404 UNKNOWN_VERSION": published("/v1/tables/silver_orders/files?version=9"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/v1/tables/silver_orders/files")),
  },
  "GET /v1/tables/{table}/quarantine": {
    "200": published("/v1/tables/silver_orders/quarantine?partition=2026-11-20"),
    "400 INVALID_PARAMETER": get("/v1/tables/silver_orders/quarantine?partition=today"),
    "404 UNKNOWN_TABLE": get("/v1/tables/nope/quarantine"),
    "404 UNKNOWN_VERSION": published("/v1/tables/silver_orders/quarantine?version=9"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/v1/tables/silver_orders/quarantine")),
  },
  "GET /v1/ledger": {
    "200": get("/v1/ledger?topic=orders&by=partition"),
    "400 INVALID_PARAMETER": get("/v1/ledger?from=today"),
    "404 UNKNOWN_TOPIC": get("/v1/ledger?topic=nope"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/v1/ledger")),
  },
  "GET /v1/events/{event_id}": {
    "200": async (harness) => {
      harness.db.sqlite.exec(
        "INSERT INTO shards (topic, shard, shard_of, first_seen) VALUES ('orders', 0, 2, ''), ('orders', 1, 2, '')",
      );
      const at = { received: "2026-11-21T11:59:58.000Z", buffered_since: "2026-11-21T11:59:59.000Z" };
      harness.buffer(() => [{ message_id: "m", event_index: 0, ...at }]);
      return await harness.request("/v1/events/e1?topic=orders&date=2026-11-21");
    },
    "400 INVALID_PARAMETER": get("/v1/events/e1?cursor=1"),
    "404 UNKNOWN_TOPIC": get("/v1/events/e1?topic=nope"),
    "404 EVENT_NOT_FOUND": get("/v1/events/e1"),
    "503 LAKE_BUSY": async (harness) => {
      await harness.post(EVENTS, [order("e1")]);
      await land(harness);
      return await withBusyLake(get("/v1/events/e1?topic=orders"))(harness);
    },
    "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/v1/events/e1")),
  },
  ...buildsCases,
  ...nativeBuildsCases,
  ...deadLettersCases,
  ...parkedCases,
  ...keysCases,
  ...registryCases,
  "GET /": { "200": get("/", { headers: { accept: "application/json" } }) },
  "GET /healthz": { "200": get("/healthz") },
  "GET /readyz": { "200": get("/readyz"), "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/readyz")) },
  "GET /metrics": { "200": get("/metrics") },
  "GET /openapi.json": { "200": get("/openapi.json") },
  "GET /docs": { "200": get("/docs") },
};

/** The body of an answer, as its content type says. */
export async function bodyOf(response: Response): Promise<unknown> {
  const type = response.headers.get("content-type") ?? "";
  return type.includes("json") ? await answer(response) : await response.text();
}
