/** `/metrics` is what a strict reader of the format takes, says what the catalog holds, and costs it little. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exposition, type Family } from "../../../../gateway/metrics/exposition.ts";
import { createRequestCounts } from "../../../../gateway/metrics/request-counts.ts";
import { anyCharacter } from "../../../oracle/any-character.ts";
import { readPrometheusText, seriesValue } from "../../../oracle/prometheus-text.ts";
import { versionSql } from "../../../oracle/version-sql.ts";
import { addKey, bearer, createHarness, type Harness, order } from "../harness.ts";

async function scrape(harness: Harness) {
  const response = await harness.request("/metrics");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return readPrometheusText(await response.text());
}

describe("the text", () => {
  const text = fc.string({ unit: anyCharacter }).map((each) => each.toWellFormed().replaceAll("\r", ""));
  const labels = fc.dictionary(fc.constantFrom("a", "b_c", "topic"), text);

  test("gives names, labels and values back, whatever they hold", () => {
    const samples = fc.uniqueArray(fc.record({ labels, value: fc.double({ noNaN: true }) }), {
      minLength: 1,
      selector: (each) => JSON.stringify(Object.entries(each.labels).sort()),
    });
    fc.assert(
      fc.property(text, samples, (help, own) => {
        const family: Family = { name: "x_y", help, type: "gauge", samples: own };
        const read = readPrometheusText(exposition([family])).get("x_y")?.series;
        expect(read?.map((each) => [each.labels, each.value + 0])).toEqual(
          own.map((each) => [each.labels, each.value + 0]),
        );
      }),
    );
  });

  test("the reader refuses what it should", () => {
    const gauge = "# HELP a b\n# TYPE a gauge\n";
    const refused = [
      "a 1",
      "a 1\n",
      `${gauge}`,
      `${gauge}b 1\n`,
      `${gauge}a 1\na 2\n`,
      `${gauge}a{x="1",x="2"} 1\n`,
      `${gauge}a{x="\\q"} 1\n`,
      `${gauge}a one\n`,
      `${gauge}a 1\n${gauge}a 1\n`,
      "# HELP a b\n# TYPE a counter\na 1\n",
      "# HELP a_total b\n# TYPE a_total counter\na_total -1\n",
      '# HELP h b\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
      '# HELP h b\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
      '# HELP h b\n# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_count 1\n',
    ];
    for (const each of refused) expect(() => readPrometheusText(each), each).toThrow();
  });
});

test("requests are counted by route and status, in whole histograms", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.constantFrom("GET", "POST", "BREW"),
          fc.constantFrom("/a", "/b/:c"),
          fc.constantFrom(200, 503),
          fc.double({ min: 0, max: 20, noNaN: true }),
        ),
        { minLength: 1 },
      ),
      (requests) => {
        const counts = createRequestCounts();
        for (const request of requests) counts.observe(...request);
        const read = readPrometheusText(exposition(counts.families()));
        const posts = requests.filter(([method, route]) => method === "BREW" && route === "/a");
        const ofPosts = { method: "other", route: "/a" };
        const name = "sluice_isolate_http_request_duration_seconds";
        expect(seriesValue(read, `${name}_count`, ofPosts) ?? 0).toBe(posts.length);
        const quick = posts.filter(([, , , seconds]) => seconds <= 2.5).length;
        expect(seriesValue(read, `${name}_bucket`, { ...ofPosts, le: "2.5" }) ?? 0).toBe(quick);
      },
    ),
  );
});

describe("GET /metrics", () => {
  test("an empty platform: every group is whole", async () => {
    const read = await scrape(createHarness());
    expect(seriesValue(read, "sluice_catalog_up")).toBe(1);
    // The pages of an empty database with all its tables and indices.
    expect(seriesValue(read, "sluice_catalog_bytes")).toBeGreaterThan(100_000);
    expect(seriesValue(read, "sluice_partitions", { status: "FAILED" })).toBe(0);
    expect(read.has("sluice_events_accepted_total")).toBe(false);
  });

  test("says what the catalog holds", async () => {
    const harness = createHarness();
    harness.db.sqlite.exec(`
      INSERT INTO ledger (topic, shard, shard_of, incarnation, hour, detail, events) VALUES ('orders', 0, 2, 'i', '2026-11-21T09:00:00Z', '', 5), ('orders', 1, 2, 'i', '2026-11-21T12:00:00Z', '', 7),
        ('orders', 0, 2, 'i', '2026-11-20T23:00:00Z', '', 100), ('dead_letters', 0, 1, 'i', '2026-11-21T09:00:00Z', 'orders|MISSING_FIELD', 2),
        ('dead_letters', 0, 1, 'i', '2026-11-21T10:00:00Z', 'orders|MISSING_FIELD', 1);
      INSERT INTO partition_meta (domain, partition_date, status) VALUES ('orders', '2026-11-20', 'FAILED'), ('orders', '2026-11-19', 'DONE');
      INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at, rows_in, rows_out, error_message, checks) VALUES
        ('orders', '2026-11-20', 'r1', 1, 'DONE', '2026-11-21T10:00:00.000Z', '2026-11-21T10:00:02.500Z', 1, 1, NULL, NULL),
        ('orders', '2026-11-20', 'r2', 2, 'DONE', '2026-11-21T10:00:00.000Z', '2026-11-21T10:01:00.500Z', 1, 1, NULL, NULL),
        ('orders', '2026-11-20', 'r3', 3, 'LOST', '2026-11-21T10:00:00.000Z', '2026-11-21T10:20:00.000Z', NULL, NULL, NULL, NULL);
      INSERT INTO alerts VALUES ('message_parked/q', 'parked_messages', '2026-11-21T10:00:00Z', 1, '2026-11-21T10:00:00Z', '{"kind":"message_parked","severity":"critical","measured":3}'),
        ('slices_parked/orders/data', 'parked_slices', '2026-11-21T10:00:00Z', 1, '2026-11-21T10:00:00Z', '{"kind":"message_parked","severity":"critical","measured":40}');
      INSERT INTO alert_events (event_id, event, made_at, post_state) VALUES ('e', '{}', '2026-11-21T10:00:00Z', 'skipped');
      INSERT INTO bronze_files VALUES ('f', 'orders', 0, 2, 'i', 1, 1, 1, '2026-11-21T11:00:00Z', '2026-11-21T11:30:00Z', '2026-11-21T11:31:00Z', NULL, 1);
      INSERT INTO shards (topic, shard, shard_of, first_seen, oldest_unflushed, buffered_rows) VALUES ('orders', 0, 2, 'x', '2026-11-21T11:59:00Z', 3), ('orders', 1, 2, 'x', NULL, 0), ('weather', 0, 1, 'x', NULL, 0);
      INSERT INTO unknown_fields VALUES ('orders', '/note', '2026-11-21T10:00:00Z', '2026-11-21', NULL);
      ${versionSql({ table: "silver_orders", version: 1, date: "2026-11-21", at: "2026-11-21T11:32:00Z" })}`);
    const read = await scrape(harness);
    const value = (name: string, labels = {}) => seriesValue(read, `sluice_${name}`, labels);
    expect(value("events_accepted_total", { topic: "orders" })).toBe(12);
    expect(value("buffered_events", { topic: "orders" })).toBe(3);
    expect(value("buffer_oldest_timestamp_seconds", { topic: "orders" })).toBe(Date.UTC(2026, 10, 21, 11, 59) / 1_000);
    expect(value("buffer_oldest_timestamp_seconds", { topic: "weather" })).toBeUndefined();
    expect(value("events_accepted_total", { topic: "dead_letters" })).toBe(3);
    expect(value("events_rejected_total", { topic: "orders", error_type: "MISSING_FIELD" })).toBe(3);
    expect(value("partitions", { status: "FAILED" })).toBe(1);
    expect(value("partitions", { status: "DONE" })).toBeUndefined();
    expect(value("runs_total", { domain: "orders", status: "DONE" })).toBe(2);
    expect(value("runs_total", { domain: "orders", status: "LOST" })).toBe(1);
    const done = { domain: "orders", status: "DONE" };
    expect(value("run_duration_seconds_sum", done)).toBeCloseTo(63, 2);
    expect(value("run_duration_seconds_bucket", { ...done, le: "1" })).toBe(0);
    expect(value("run_duration_seconds_bucket", { ...done, le: "15" })).toBe(1);
    expect(value("run_duration_seconds_bucket", { ...done, le: "300" })).toBe(2);
    expect(value("unknown_fields", { topic: "orders" })).toBe(1);
    expect(value("alerts_firing", { kind: "message_parked", severity: "critical" })).toBe(2);
    expect(value("parked_messages", { queue: "q" })).toBe(3);
    expect(value("parked_slice_events", { topic: "orders", cause: "data" })).toBe(40);
    expect(value("alert_events", { post: "skipped" })).toBe(1);
    expect(value("bronze_newest_received_timestamp_seconds", { topic: "orders" })).toBe(
      Date.UTC(2026, 10, 21, 11, 30) / 1_000,
    );
    expect(value("silver_published_timestamp_seconds", { topic: "orders" })).toBe(
      Date.UTC(2026, 10, 21, 11, 32) / 1_000,
    );
  });

  test("asks the catalog once in ten seconds; without it the isolate still answers", async () => {
    const harness = createHarness();
    await harness.post("/v1/topics/orders/events", [order("a")]);
    await harness.request("/v1/topics/nope");
    await harness.request("/nowhere");
    await scrape(harness);
    const before = harness.db.queries();
    harness.clock.advance(9_000);
    const read = await scrape(harness);
    expect(harness.db.queries()).toBe(before);
    const total = (labels: Record<string, string>) => seriesValue(read, "sluice_isolate_http_requests_total", labels);
    expect(total({ method: "POST", route: "/v1/topics/:topic/events", status: "202" })).toBe(1);
    expect(total({ route: "/v1/topics/:topic", status: "404" })).toBe(1);
    expect(total({ route: "other", status: "404" })).toBe(1);
    expect(total({ route: "/metrics", status: "200" })).toBe(1);

    harness.clock.advance(2_000);
    harness.db.setDown(true);
    const down = await scrape(harness);
    expect(seriesValue(down, "sluice_catalog_up")).toBe(0);
    expect(down.has("sluice_partitions")).toBe(false);
    expect(down.has("sluice_isolate_http_requests_total")).toBe(true);
  });

  test("needs the scope *:read", async () => {
    const harness = createHarness();
    addKey(harness.db, "writer", ["*:write", "orders:read"]);
    addKey(harness.db, "scraper", ["*:read"]);
    const as = (key: string) => harness.request("/metrics", { headers: { authorization: bearer(key) } });
    expect((await as("writer")).status).toBe(403);
    expect((await as("scraper")).status).toBe(200);
    expect((await harness.bare("/metrics", {})).status).toBe(401);
  });
});
