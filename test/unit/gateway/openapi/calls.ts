/** Calls of which cases are made, as they are and while a part that they need fails. */
import { vi } from "vitest";
import { tryAcquireWasm } from "../../../../lakehouse/engine/parquet/wasm.ts";
import { createHarness, type Harness } from "../harness.ts";
import type { Case } from "./case.ts";

export const EVENTS = "/v1/topics/orders/events";
export const send =
  (body: unknown, path = EVENTS): Case =>
  (harness) =>
    harness.post(path, body);
export const get =
  (path: string, init: RequestInit = {}): Case =>
  (harness) =>
    harness.request(path, init);
export const withoutCatalog =
  (next: Case): Case =>
  async (harness) => {
    // The key is cached by a first call, so that only the route's own query fails.
    await harness.request("/v1/topics");
    harness.db.setDown(true);
    return await next(harness);
  };

/** While another holds the permit of parquet-wasm. The seconds that a request waits for it pass at once. */
export const withBusyLake =
  (next: Case): Case =>
  async (harness) => {
    using _permit = tryAcquireWasm();
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    try {
      let waits = true;
      const answer = next(harness).finally(() => {
        waits = false;
      });
      while (waits) await vi.advanceTimersByTimeAsync(500);
      return await answer;
    } finally {
      vi.useRealTimers();
    }
  };

/** A gateway whose other requests hold all memory. */
export function withoutMemory(): Harness {
  const memory = { totalBytes: 1, requestBytes: 1_000_000, smallShareBytes: 0, smallBytes: 0 };
  return createHarness({ limits: { memory } });
}
