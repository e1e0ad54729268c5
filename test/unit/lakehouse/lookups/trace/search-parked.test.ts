/** The trace of an event that is parked, with a message or with a slice: where it stands, and what is not looked into. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Contract } from "../../../../../contracts/contract.ts";
import { contractOf } from "../../../../../contracts/registry.ts";
import { searchParked } from "../../../../../lakehouse/lookups/trace/search-parked.ts";
import { contentsOf, metadataOf, parkedKey } from "../../../../../lakehouse/upkeep/parked/parked-message.ts";
import { markSliceRedriven, parkedSliceKey, registerParkedSlice } from "../../../../../sql/statements/parked-slices.ts";
import { framesOf, makeMessage, uuidAt } from "../../../../oracle/frames.ts";
import { Lake } from "../../../../oracle/lake.ts";
import { order } from "../../../gateway/harness.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const HOUR = "2026-11-21T12:00:00Z";
const LONG = `long-${"x".repeat(59)}`;

let lake: Lake;
beforeEach(() => {
  lake = new Lake(NOW);
});

/** Orders on both shards of their topic; one has an id whose length takes two bytes in Avro. */
const ids = [...Array.from({ length: 7 }, (_, i) => `e-${i}`), LONG];
const events = ids.map((id) => ({
  event: order(id, { event_timestamp: HOUR, customer_id: `cus-of-${id}` }),
  extra: null,
  lexical: null,
}));
const message = makeMessage({ topic: "orders", messageId: uuidAt(NOW, 1), received: NOW * 1_000, events });

function contract(topic: string): Contract {
  const found = contractOf(topic);
  if (found === undefined) throw new Error(`no contract ${topic}`);
  return found;
}

/** Keys that searches read. */
let read: string[];
const search = (eventId: string, topic = "orders") => {
  read = [];
  const bucket = {
    list: (options?: R2ListOptions) => lake.bucket.list(options),
    get: (key: string) => {
      read.push(key);
      return lake.bucket.get(key);
    },
  };
  return searchParked({ db: lake.d1.binding, bucket }, [contract(topic)], eventId);
};

async function park(bytes: Uint8Array): Promise<string> {
  const customMetadata = metadataOf({
    cause: "system",
    detail: "exhausted",
    attempts: 100,
    sent: HOUR,
    contents: contentsOf(bytes),
  });
  const key = parkedKey("sluice-orders-dlq", "q1");
  await lake.bucket.put(key, bytes, { customMetadata });
  return key;
}

/** As flushes do, each frame of the message; its bytes may be made into others. */
async function setAside(change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): Promise<string[]> {
  const keys: string[] = [];
  for (const { header, slice, bytes } of framesOf(message)) {
    const shard = { topic: "orders", shard: slice.shard, shardOf: slice.of };
    const cause = "data" as const;
    const parked = { messageId: header.message_id, hour: HOUR, events: slice.count, cause, detail: "d" };
    const key = parkedSliceKey(shard, parked);
    const contents = { topic: "orders", message: parked.messageId, events: parked.events, received: HOUR };
    const customMetadata = metadataOf({ cause, detail: "d", attempts: 0, sent: "", contents });
    await lake.bucket.put(key, change(bytes.slice()), { customMetadata });
    await registerParkedSlice(lake.d1.binding, shard, { ...parked, bytes: bytes.byteLength }, HOUR).run();
    keys.push(key);
  }
  return keys;
}

describe("an event that is parked", () => {
  test("with its message is found by its id, with its place in its request", async () => {
    await park(message);
    const place = {
      ...{ parked_id: "sluice-orders-dlq/q1", kind: "message", topic: "orders", message_id: uuidAt(NOW, 1) },
      ...{ received: "2026-11-21T12:00:00.000Z", parked_since: new Date(NOW).toISOString() },
      ...{ cause: "system", detail: "exhausted" },
    };
    for (const [index, id] of ids.entries()) expect(await search(id)).toEqual([{ ...place, event_index: index }]);
  });

  test("is not another of which the id is a part, nor one that has the id in another field", async () => {
    await park(message);
    for (const other of ["e-", "e-77", "cus-of-e-1", "x".repeat(59)]) expect(await search(other)).toEqual([]);
    expect(await search("e-1", "payments")).toEqual([]);
  });

  test("with a slice whose bytes do not decode: the id stands in them, and its place is unknown", async () => {
    const keys = await setAside((bytes) => bytes.fill(0xff, -8));
    for (const id of ids.slice(0, 1).concat(LONG)) {
      const [found, ...others] = await search(id);
      expect(others).toEqual([]);
      expect(found).toMatchObject({ kind: "slice", event_index: null, cause: "data" });
      expect(keys).toContain(`parked/${found?.parked_id}`);
    }
    // Not as a text of its own.
    expect(await search("e-")).toEqual([]);
  });

  test("only the slices of its shard are read", async () => {
    await setAside();
    expect(await search("e-2")).toMatchObject([{ event_index: 2 }]);
    expect(read).toHaveLength(1);
  });

  test("is parked no more once it was sent on; bytes that are no message are passed over", async () => {
    for (const key of await setAside()) await markSliceRedriven(lake.d1.binding, key).run();
    await lake.bucket.put(parkedKey("sluice-orders", "bad"), new Uint8Array([1, 2, 3]), {
      customMetadata: metadataOf({
        ...{ cause: "data", detail: "no message", attempts: 1, sent: HOUR },
        contents: { topic: "orders", message: "m", events: 1, received: HOUR },
      }),
    });
    expect(await search("e-1")).toEqual([]);
  });
});
