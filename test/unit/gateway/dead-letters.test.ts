import { beforeEach, describe, expect, test } from "vitest";
import { addKey, bearer, createHarness, type Harness, order, reading } from "./harness.ts";
import { land } from "./land.ts";

interface Page {
  readonly dead_letters: readonly Record<string, unknown>[];
  readonly next_cursor: string | null;
}

let harness: Harness;
beforeEach(() => {
  harness = createHarness();
});

async function list(query: string, key = "local-dev-key"): Promise<Page> {
  const response = await harness.request(`/v1/dead-letters${query}`, { headers: { authorization: bearer(key) } });
  expect(response.status).toBe(200);
  const page: Page = JSON.parse(await response.text());
  return page;
}

const BAD = order("bad-1", { currency: "XXX" });
// Two spaces and an escape: parsing and printing again would not give these bytes.
const BAD_TEXT = JSON.stringify(BAD).replace('"currency":', '"currency" :  ').replace("ord_abc123", "ord_\\u0061bc123");

describe("GET /v1/dead-letters", () => {
  test("tells what was refused, newest first, with the place in its request", async () => {
    await harness.post("/v1/topics/orders/events", `[${JSON.stringify(order("good"))},${BAD_TEXT}]`);
    harness.clock.advance(1_000);
    await harness.post("/v1/topics/weather/events", [reading("w-1", { temperature_c: "warm" })]);
    await land(harness);
    const { dead_letters, next_cursor } = await list("");
    expect(next_cursor).toBeNull();
    expect(dead_letters.map((letter) => [letter["source_topic"], letter["error_type"], letter["event_id"]])).toEqual([
      ["weather", "TYPE_MISMATCH", "w-1"],
      ["orders", "INVALID_ENUM", "bad-1"],
    ]);
    expect(dead_letters[1]).toMatchObject({
      received_at: "2026-11-21T12:00:00.000Z",
      attempts: 1,
      replay_of: null,
      position: { event_index: 1, byte_offset: JSON.stringify(order("good")).length + 2 },
      errors: [{ error_type: "INVALID_ENUM", pointer: "/currency" }],
    });
    expect(dead_letters[1]).not.toHaveProperty("payload");
  });

  test("one has the payload to the byte; one that lies apart names its place", async () => {
    await harness.post("/v1/topics/orders/events", `[${BAD_TEXT}]`);
    await harness.post("/v1/topics/orders/events", [order("big", { amount: "x", note: "n".repeat(50_000) })]);
    await land(harness);
    const { dead_letters } = await list("?topic=orders&order=oldest");
    const shown = await Promise.all(
      dead_letters.map(async ({ dlq_id }) => {
        const response = await harness.request(`/v1/dead-letters/${dlq_id}?date=2026-11-21`);
        const letter: Record<string, unknown> = JSON.parse(await response.text());
        return letter;
      }),
    );
    const bad = shown.find((letter) => letter["event_id"] === "bad-1");
    expect(bad).toMatchObject({ payload: BAD_TEXT, payload_encoding: "utf-8", payload_ref: null });
    const big = shown.find((letter) => letter["event_id"] === "big");
    expect(big).toMatchObject({ payload: null, payload_ref: expect.stringContaining(String(big?.["dlq_id"])) });
  });

  test("goes as far back as the replay window, which deletes nothing", async () => {
    await harness.post("/v1/topics/orders/events", [BAD]);
    await land(harness);
    const DAY_MS = 86_400_000;
    const [letter] = (await list("")).dead_letters;
    const ids = async (query: string) => (await list(query)).dead_letters.map(({ dlq_id }) => dlq_id);
    // Noon of the 21st: until the end of December 21st it is in the window of thirty days, which counts whole dates.
    harness.clock.advance(30 * DAY_MS + 11 * 3_600_000);
    expect(await ids("")).toEqual([]);
    expect(await ids("?to=2026-11-25")).toEqual([letter?.["dlq_id"]]);
    expect(await ids("?from=2026-11-21")).toEqual([letter?.["dlq_id"]]);
    harness.clock.advance(2 * 3_600_000);
    const refusal = async (path: string, init: RequestInit = {}): Promise<unknown> => {
      const headers = { authorization: bearer("local-dev-key"), "content-type": "application/json" };
      const response = await harness.request(path, { headers, ...init });
      return [response.status, JSON.parse(await response.text())];
    };
    const earliest = (name: string) => [
      400,
      expect.objectContaining({
        code: "INVALID_PARAMETER",
        detail: expect.stringMatching(`^${name}: dead_letters .* back to 2026-11-22T00:00:00.* 30 d.*npm run query`),
      }),
    ];
    expect(await refusal("/v1/dead-letters?from=2026-11-21")).toEqual(earliest("from"));
    expect(await refusal("/v1/dead-letters?to=2026-11-21")).toEqual(earliest("to"));
    expect(await refusal(`/v1/dead-letters/${letter?.["dlq_id"]}?date=2026-11-21`)).toEqual(earliest("date"));
    const body = JSON.stringify({ dlq_ids: [letter?.["dlq_id"]], from: "2026-11-21" });
    expect(await refusal("/v1/dead-letters/replay", { method: "POST", body })).toEqual(earliest("from"));
    expect(await ids("?from=2026-11-22&to=2026-11-25")).toEqual([]);
  });

  test("pages go on where they ended", async () => {
    for (let i = 0; i < 5; i++) {
      harness.clock.advance(10);
      await harness.post("/v1/topics/orders/events", [
        order(`p-${i}`, { amount: -1 }),
        order(`q-${i}`, { amount: -1 }),
      ]);
    }
    await land(harness);
    const ids: unknown[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: Page = await list(`?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`);
      ids.push(...page.dead_letters.map((letter) => letter["event_id"]));
      cursor = page.next_cursor;
    }
    expect(ids.map((id) => String(id).slice(2))).toEqual(["4", "4", "3", "3", "2", "2", "1", "1", "0", "0"]);
    expect(new Set(ids).size).toBe(10);
    const other = await harness.request("/v1/dead-letters?order=oldest&cursor=bmV3ZXN0LzEvYQ");
    expect(other.status).toBe(400);
  });

  test("a key sees the dead letters of topics that it may read, and not whether there are others", async () => {
    addKey(harness.db, "orders-reader", ["orders:read", "weather:write"]);
    addKey(harness.db, "writer", ["orders:write"]);
    await harness.post("/v1/topics/orders/events", [BAD]);
    await harness.post("/v1/topics/weather/events", [reading("w-1", { temperature_c: "warm" })]);
    await land(harness);
    const all = await list("");
    const own = await list("", "orders-reader");
    expect(own.dead_letters.map((letter) => letter["source_topic"])).toEqual(["orders"]);
    const status = async (path: string, key: string) =>
      (await harness.request(path, { headers: { authorization: bearer(key) } })).status;
    expect(await status("/v1/dead-letters?topic=weather", "orders-reader")).toBe(403);
    expect(await status("/v1/dead-letters", "writer")).toBe(403);
    const weather = all.dead_letters.find((letter) => letter["source_topic"] === "weather");
    expect(await status(`/v1/dead-letters/${weather?.["dlq_id"]}`, "orders-reader")).toBe(404);
    expect(await status(`/v1/dead-letters/${weather?.["dlq_id"]}`, "local-dev-key")).toBe(200);
  });
});
