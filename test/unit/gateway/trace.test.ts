/** `GET /v1/events/{event_id}` and `sluice trace`: scopes, cursors, the shards that are asked, what the terminal says. */

import { afterEach, describe, expect, test, vi } from "vitest";
import { shardOf } from "../../../contracts/shards.ts";
import { cursorText, positionOf } from "../../../gateway/trace/cursor.ts";
import { requestPermit } from "../../../gateway/wasm-permit.ts";
import { permitOfProcess } from "../../../lakehouse/engine/parquet/wasm.ts";
import { LakeBusyError } from "../../../lakehouse/lookups/trace/search-bronze.ts";
import { contentsOf, metadataOf, parkedKey } from "../../../lakehouse/upkeep/parked/parked-message.ts";
import { command } from "../../../tools/cli/trace.ts";
import { makeMessage, uuidAt } from "../../oracle/frames.ts";
import { addKey, bearer, createHarness, type Harness, NOW, order } from "./harness.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const WAITING = {
  message_id: "m-1",
  event_index: 2,
  received: "2026-11-21T11:59:58.000Z",
  buffered_since: "2026-11-21T11:59:59.000Z",
};

function withBuffered(): { harness: Harness; asked: string[] } {
  const harness = createHarness();
  const asked: string[] = [];
  harness.db.sqlite.exec(
    "INSERT INTO shards (topic, shard, shard_of, first_seen) VALUES ('orders', 0, 2, ''), ('orders', 1, 2, ''), ('users', 0, 1, ''), ('payments', 0, 2, ''), ('payments', 1, 2, '')",
  );
  harness.buffer(({ topic, shard, of }, column, text) => {
    asked.push(`${topic} ${shard}/${of} ${column}`);
    return topic === "orders" && text === "e-1" ? [WAITING] : [];
  });
  return { harness, asked };
}

test("only the shards that the id can be in are asked", async () => {
  const { harness, asked } = withBuffered();
  const response = await harness.request("/v1/events/e-1");
  expect(await response.json()).toMatchObject({
    state: "buffered",
    buffered: [{ ...WAITING, topic: "orders", shard: shardOf(["e-1"], 2), shard_of: 2 }],
    cursor: null,
  });
  const shard = shardOf(["e-1"], 2);
  expect(asked.sort()).toEqual([`orders ${shard}/2 event_id`, `payments ${shard}/2 event_id`, "users 0/1 event_id"]);
});

test("a key looks through what it may read, and no further", async () => {
  const { harness, asked } = withBuffered();
  addKey(harness.db, "payments-only", ["payments:read"]);
  addKey(harness.db, "writer", ["orders:write"]);
  const as = (key: string) => ({ headers: { authorization: bearer(key) } });
  expect((await harness.request("/v1/events/e-1", as("payments-only"))).status).toBe(404);
  expect(asked.every((text) => text.startsWith("payments"))).toBe(true);
  for (const [key, query] of [
    ["payments-only", "?topic=orders"],
    ["writer", ""],
  ] as const) {
    expect((await harness.request(`/v1/events/e-1${query}`, as(key))).status).toBe(403);
  }
});

test("a search that goes on finds nothing without an error, and does not ask buffers again", async () => {
  const { harness, asked } = withBuffered();
  const cursor = cursorText({ source: 1, after: "x" });
  const response = await harness.request(`/v1/events/e-1?cursor=${cursor}`);
  expect(await response.json()).toMatchObject({ state: null, cursor: null });
  expect(asked).toEqual([]);
  expect(positionOf(cursor)).toEqual({ source: 1, after: "x" });
  for (const bad of ["", "%%%", cursorText({ source: -1, after: "" }), "W10"]) expect(positionOf(bad)).toBeUndefined();
});

describe("an event that is parked", () => {
  async function withParked(): Promise<Harness> {
    const { harness } = withBuffered();
    const events = [{ event: order("p-1"), extra: null, lexical: null }];
    const bytes = makeMessage({ topic: "orders", messageId: uuidAt(NOW, 1), received: NOW * 1_000, events });
    const customMetadata = metadataOf({
      ...{ cause: "system", detail: "deliveries exhausted", attempts: 100, sent: "" },
      contents: contentsOf(bytes),
    });
    await harness.bucket.put(parkedKey("sluice-orders-dlq", "q1"), bytes, { customMetadata });
    return harness;
  }

  test("is told with where it stands, to keys that may read its topic", async () => {
    const harness = await withParked();
    expect(await (await harness.request("/v1/events/p-1?topic=orders")).json()).toMatchObject({
      state: "parked",
      copies: [],
      parked: [{ parked_id: "sluice-orders-dlq/q1", topic: "orders", event_index: 0, cause: "system" }],
    });
    addKey(harness.db, "payments-only", ["payments:read"]);
    const as = { headers: { authorization: bearer("payments-only") } };
    expect((await harness.request("/v1/events/p-1", as)).status).toBe(404);
  });

  test("is a line of sluice trace", async () => {
    const harness = await withParked();
    vi.stubGlobal("fetch", (url: URL, init: RequestInit) => harness.bare(`${url.pathname}${url.search}`, init));
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    await command.run(["p-1"]);
    expect(printed.mock.calls.flat().join("\n")).toMatch(
      /^parked {5}orders: sluice-orders-dlq\/q1, since .*, cause system: deliveries exhausted$/m,
    );
  });
});

test("a date that no calendar has is refused", async () => {
  for (const date of ["2026-02-30", "2026-13-01", "yesterday"]) {
    expect((await createHarness().request(`/v1/events/e-1?date=${date}`)).status).toBe(400);
  }
});

test("an id longer than any is refused; one of odd letters is looked for", async () => {
  const { harness } = withBuffered();
  expect((await harness.request(`/v1/events/${"x".repeat(257)}`)).status).toBe(400);
  const odd = "a/b ü'%\"";
  expect(await (await harness.request(`/v1/events/${encodeURIComponent(odd)}`)).json()).toMatchObject({
    code: "EVENT_NOT_FOUND",
    event_id: odd,
  });
});

describe("the permit for parquet-wasm", () => {
  test("is waited for, and given up in the end", async () => {
    let waits = 0;
    const wait = async () => void waits++;
    const permit = permitOfProcess();
    expect(await requestPermit(wait, () => (waits < 3 ? undefined : permit))).toBe(permit);
    expect(waits).toBe(3);
    await expect(requestPermit(wait, () => undefined)).rejects.toThrow(LakeBusyError);
  });
});

describe("sluice trace", () => {
  test("tells the way of an event, or that there is none", async () => {
    const { harness } = withBuffered();
    vi.stubGlobal("fetch", (url: URL, init: RequestInit) => harness.bare(`${url.pathname}${url.search}`, init));
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    await command.run(["e-1", "--topic", "orders"]);
    expect(printed.mock.calls.flat().join("\n")).toMatch(
      /^buffered {3}orders, shard \d of 2, since 2026-11-21T11:59:59.000Z: message m-1/,
    );
    await expect(command.run(["e-2"])).rejects.toThrow(/404: the event is neither/);
    await expect(command.run([])).rejects.toMatchObject({ code: "USAGE" });
  });
});
