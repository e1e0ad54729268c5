/** `GET /v1/ledger` and `sluice ledger`: the terms, what a key may see, and the exit of --check. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { contracts } from "../../../contracts/registry.ts";
import { notAMessage, systemFault } from "../../../queue-consumers/fault.ts";
import { park } from "../../../queue-consumers/parking.ts";
import { publishArrivals } from "../../../sql/statements/arrivals.ts";
import { publishLedger } from "../../../sql/statements/bronze.ts";
import { ledgerState } from "../../../sql/statements/ledger-balance.ts";
import { listShard } from "../../../sql/statements/shards.ts";
import { command } from "../../../tools/cli/ledger.ts";
import { uuidAt } from "../../oracle/frames.ts";
import { registerFiles } from "../../oracle/register.ts";
import { weatherMessage } from "../../oracle/weather.ts";
import { addKey, bearer, createHarness, type Harness, NOW } from "./harness.ts";

const HOUR = "2026-11-21T10:00:00Z";
const OLD = uuidAt(NOW - 4 * 3_600_000, 1);
const SHARD = { topic: "orders", shard: 0, shardOf: 2, incarnation: "i" };

let harness: Harness;
beforeEach(async () => {
  harness = createHarness();
  const { d1, sqlite } = harness.db;
  const file = {
    file: "f",
    ...SHARD,
    seq: 1,
    rows: 8,
    bytes: 1,
    minReceived: HOUR,
    maxReceived: HOUR,
    dates: [],
    hours: [
      { date: "2026-11-20", hour: HOUR, rows: 3 },
      { date: "2026-11-21", hour: HOUR, rows: 5 },
    ],
  };
  const arrivals = { hour: HOUR, messages: 5, unnumbered: 1, instances: JSON.stringify({ [OLD]: [4, 1, 6] }) };
  await d1.batch([
    ...registerFiles(d1, [file], "2026-11-21T10:30:00Z"),
    publishLedger(d1, SHARD, [{ hour: HOUR, detail: "", events: 8 }]),
    publishLedger(d1, { ...SHARD, topic: "dead_letters" }, [{ hour: HOUR, detail: "orders|MISSING_FIELD", events: 2 }]),
    publishArrivals(d1, SHARD, [arrivals]),
  ]);
  sqlite.exec(`
    INSERT INTO ledger_outcomes VALUES ('orders', '2026-11-20', '${HOUR}', 'silver', 2, 1);
    INSERT INTO ledger_duplicates VALUES ('orders', '2026-11-20', '${HOUR}', 1);
    INSERT INTO partition_inputs (domain, partition_date, version, built_version) VALUES ('orders', '2026-11-20', 1, 1);
    INSERT INTO partition_meta (domain, partition_date, status, processed_at) VALUES ('orders', '2026-11-20', 'DONE', '2026-11-21T10:31:00Z');`);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const read = async (query: string, init?: RequestInit) => {
  const response = await harness.request(`/v1/ledger${query}`, init);
  return { status: response.status, body: JSON.parse(await response.text()) };
};

const message = (id: string, body: Uint8Array): Message => ({
  id,
  timestamp: new Date(NOW),
  body,
  attempts: 3,
  ack() {},
  retry() {},
});

describe("GET /v1/ledger", () => {
  test("by hour: every term, and what is on its way", async () => {
    const { body } = await read("?topic=orders");
    expect(body).toMatchObject({ from: "2026-11-20T13:00:00Z", to: "2026-11-21T13:00:00Z", by: "hour", closes: false });
    expect(body.rows).toEqual([
      {
        topic: "orders",
        hour: HOUR,
        accepted: 8,
        rejected: 2,
        buffered: 0,
        parked: 0,
        bronze: 8,
        silver: 2,
        replayed: 1,
        duplicates: 1,
        superseded: 0,
        quarantined: 0,
        expired: 0,
        unbuilt: 5,
        difference: 0,
      },
    ]);
    expect(body.completeness).toEqual([
      { topic: "orders", date: "2026-11-21", received: 9, missing: 1, percent: 88.888, promised_percent: null },
    ]);
    expect(body.messages).toMatchObject([
      { topic: "orders", arrived: 4, in_flight: 0, suspected_lost: 2, instances: 1, silent_instances: 1 },
    ]);
    expect(body.messages[0].gaps).toEqual([{ topic: "orders", instance: OLD, hour: HOUR, messages: 2 }]);
  });

  test("by partition", async () => {
    const { body } = await read("?by=partition&from=2026-11-20&to=2026-11-22");
    expect(body.rows).toMatchObject([
      { topic: "orders", partition_date: "2026-11-20", bronze: 3, silver: 2, duplicates: 1, unbuilt: 0, difference: 0 },
      { topic: "orders", partition_date: "2026-11-21", bronze: 5, silver: 0, unbuilt: 5, difference: 0 },
    ]);
  });

  test("what is parked, counted from its messages; bytes of no message are counted as such", async () => {
    const event = { eventId: "a", at: NOW * 1_000 };
    const body = weatherMessage({ messageId: uuidAt(NOW, 1), received: NOW * 1_000, events: [event, event] });
    await park(harness.bucket, "weather-dlq", message("m1", body), systemFault("exhausted", ""));
    await park(harness.bucket, "weather-dlq", message("m2", Uint8Array.of(9)), notAMessage(""));
    const at = new Date(NOW).toISOString();
    expect((await read("")).body.parked).toEqual({
      groups: [
        { topic: "weather", cause: "system", messages: 1, events: 2, oldest: at },
        { topic: null, cause: "data", messages: 1, events: null, oldest: at },
      ],
      truncated: false,
    });
    expect((await read("?topic=orders")).body.parked.groups).toEqual([]);
  });

  test("topics come page by page, those that only buffers know as well; what is parked stands on the first", async () => {
    await harness.db.d1.batch([
      listShard(harness.db.d1, { topic: "zz_gone", shard: 0, shardOf: 1 }, HOUR),
      publishLedger(harness.db.d1, { ...SHARD, topic: "zz_gone" }, [{ hour: HOUR, detail: "", events: 3 }]),
    ]);
    await park(harness.bucket, "weather-dlq", message("m2", Uint8Array.of(9)), notAMessage(""));
    const whole = (await read("?limit=50")).body;
    expect(whole).toMatchObject({ next_cursor: null, parked: { groups: [{ messages: 1 }] } });
    expect(whole.rows.map(({ topic }: { topic: string }) => topic)).toEqual(["dead_letters", "orders", "zz_gone"]);
    const rows: unknown[] = [];
    let pages = 0;
    for (let cursor: string | null = ""; cursor !== null; pages++) {
      const { body } = await read(`?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`);
      rows.push(...body.rows);
      expect(body.parked.groups).toHaveLength(pages === 0 ? 1 : 0);
      cursor = body.next_cursor;
    }
    expect(pages).toBe(Math.ceil((contracts.length + 1) / 3));
    expect(rows).toEqual(whole.rows);
    expect((await read("?limit=51")).status).toBe(400);
  });

  test("of the topics asked for no other's row is read", async () => {
    const { d1 } = harness.db;
    const many = Array.from({ length: 200 }, (_, n) => ({ ...SHARD, topic: `other_${n}` }));
    await d1.batch(many.map((shard) => publishLedger(d1, shard, [{ hour: HOUR, detail: "", events: 1 }])));
    const plan = harness.db.sqlite
      .prepare(
        "EXPLAIN QUERY PLAN SELECT * FROM json_each('[]') AS h CROSS JOIN json_each('[]') AS t CROSS JOIN bronze_file_hours ON hour = h.value AND topic = t.value",
      )
      .all()
      .map((row) => String(row["detail"]));
    expect(plan.at(-1)).toMatch(/SEARCH bronze_file_hours USING PRIMARY KEY \(hour=\? AND topic=\?\)/);
    expect((await ledgerState(d1, ["orders"], HOUR, "2026-11-21T11:00:00Z")).appended).toMatchObject([{ events: 8 }]);
  });

  test("a key sees what it may read", async () => {
    addKey(harness.db, "payments-only", ["payments:read", "orders:write"]);
    const headers = { authorization: bearer("payments-only") };
    expect((await read("", { headers })).body).toMatchObject({ rows: [], messages: [], closes: true });
    expect(await read("?topic=orders", { headers })).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
  });

  test.each([
    "?from=2026-11-21&to=2026-11-20",
    "?from=2026-11-01&to=2026-11-20",
    "?by=week",
    "?from=2026-13-01",
    "?from=2026-02-30",
    "?to=2026-02-30T01:00:00Z",
  ])("%s is refused", async (query) => {
    expect(await read(query)).toMatchObject({ status: 400, body: { code: "INVALID_PARAMETER" } });
  });
});

describe("sluice ledger", () => {
  function terminal(): (line: string) => Promise<string> {
    vi.stubGlobal("fetch", (url: URL, init: RequestInit) => harness.bare(`${url.pathname}${url.search}`, init));
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    return async (line) => {
      printed.mockClear();
      await command.run(line.split(" ").filter((word) => word !== ""));
      return printed.mock.calls.flat().join("\n");
    };
  }

  test("prints tables; --check refuses what does not close", async () => {
    const run = terminal();
    const text = await run("--topic orders");
    expect(text).toMatch(/topic +hour +accepted +rejected/);
    expect(text).toMatch(new RegExp(`orders +${HOUR} +8 +2`));
    expect(text).toMatch(/orders +2026-11-21 +9 +1 +88\.888 +-/);
    expect(text).toContain(OLD);
    expect(text).toContain("The ledger does not close: 0 rows with a difference, 2 messages suspected to be lost.");
    await expect(run("--check")).rejects.toMatchObject({ code: "LEDGER_OPEN" });
    expect(JSON.parse(await run("--json --by partition")).rows).toHaveLength(2);
    expect(await run("--check --topic payments")).toContain("The ledger closes.");
    await expect(run("--topic nope")).rejects.toMatchObject({ code: "PLATFORM_REFUSED" });
  });
});
