import { describe, expect, test } from "vitest";
import { parkExhausted } from "../../../queue-consumers/exhausted.ts";
import { redeliveryDelay } from "../../../queue-consumers/outcome.ts";
import { routeQueue } from "../../../queue-consumers/route.ts";
import { MemoryBucket } from "../../oracle/memory-bucket.ts";
import { batchOf } from "./batch.ts";

describe("parkExhausted", () => {
  test("keeps every message intact, as a fault of the system; what R2 refuses is retried", async () => {
    const bucket = new MemoryBucket();
    bucket.failures.push(undefined, new Error("R2 is down"));
    const logs: Readonly<Record<string, unknown>>[] = [];
    const { batch, said } = batchOf("sluice-local-orders-dlq", [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
    await parkExhausted(batch, { bucket, log: (event) => void logs.push(event) });
    expect(said()).toEqual(["ack", { retry: 10 }, "ack"]);
    expect(
      [...bucket.objects].map(([key, { bytes, customMetadata }]) => [key, [...bytes], customMetadata["cause"]]),
    ).toEqual([
      ["parked/sluice-local-orders-dlq/queue-id-0", [1], "system"],
      ["parked/sluice-local-orders-dlq/queue-id-2", [3], "system"],
    ]);
    expect(logs).toEqual([expect.objectContaining({ messages: 3, parked: 2 })]);
  });
});

describe("redeliveryDelay", () => {
  test("doubles from ten seconds to an hour", () => {
    expect([1, 2, 3, 9, 10, 11, 100].map(redeliveryDelay)).toEqual([10, 20, 40, 2_560, 3_600, 3_600, 3_600]);
  });

  test("a hundred deliveries take more than three of the four days that a queue keeps a message", () => {
    const seconds = Array.from({ length: 100 }, (_, i) => redeliveryDelay(i + 1)).reduce((sum, delay) => sum + delay);
    expect(seconds / 86_400).toBeGreaterThan(3);
    expect(seconds / 86_400).toBeLessThan(4);
  });
});

describe("routeQueue", () => {
  test("knows a queue by its name", () => {
    expect(routeQueue("sluice-local-orders", "local")).toEqual({ kind: "topic", topic: "orders" });
    expect(routeQueue("sluice-local-order-changes", "local")).toEqual({ kind: "topic", topic: "order_changes" });
    expect(routeQueue("sluice-local-builds", "local")).toEqual({ kind: "builds" });
    expect(routeQueue("sluice-local-orders-dlq", "local")).toEqual({ kind: "exhausted" });
    expect(routeQueue("sluice-local-builds-dlq", "local")).toEqual({ kind: "exhausted" });
  });

  test("another environment's queue is refused", () => {
    expect(() => routeQueue("sluice-staging-orders", "local")).toThrow("not one of environment local");
    expect(() => routeQueue("orders", "local")).toThrow();
  });
});
