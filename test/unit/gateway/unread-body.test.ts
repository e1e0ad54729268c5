import { describe, expect, test } from "vitest";
import { drain } from "../../../gateway/middleware/unread-body/unread-body.ts";
import { createHarness, order } from "./harness.ts";

/** A body that gives `pieces` pieces of 1,000 bytes and then, unless it is endless, ends. */
function body(pieces: number, then: "ends" | "waits" = "ends") {
  const seen = { read: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (seen.read < pieces) {
          seen.read++;
          controller.enqueue(new Uint8Array(1_000));
        } else if (then === "ends") controller.close();
        else return new Promise<void>(() => {});
        return undefined;
      },
      cancel() {
        seen.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

function post(stream: ReadableStream, headers: Record<string, string> = {}): RequestInit {
  return Object.assign({ method: "POST", body: stream, headers }, { duplex: "half" });
}

describe("what an answer left unread of its body", () => {
  test.each(["/nothing", "/v1/topics/orders/events", "/v1/nothing", "/registry/subjects/x-value", "/healthz"])(
    "is read to its end by a local platform, and cancelled by a deployed one: %s",
    async (path) => {
      const [local, deployed] = [createHarness(), createHarness({ environment: "production" })];
      const [atLocal, atDeployed] = [body(300), body(Number.POSITIVE_INFINITY)];
      const { status } = await local.bare(path, post(atLocal.stream));
      expect([401, 404, 405]).toContain(status);
      expect(atLocal.seen).toEqual({ read: 300, cancelled: false });
      expect((await deployed.bare(path, post(atDeployed.stream))).status).toBe(status);
      expect(atDeployed.seen).toEqual({ read: 0, cancelled: true });
    },
  );

  test("also where the route stopped in its middle", async () => {
    const harness = createHarness({ limits: { bodyBytes: 5_000 } });
    const { stream, seen } = body(300);
    const headers = { authorization: "Bearer local-dev-key", "content-type": "application/json" };
    expect((await harness.bare("/v1/topics/orders/events", post(stream, headers))).status).toBe(413);
    expect(seen).toEqual({ read: 300, cancelled: false });
  });

  test("is nothing where the route read it all", async () => {
    const harness = createHarness();
    expect((await harness.post("/v1/topics/orders/events", order("o"))).status).toBe(202);
    expect((await harness.post("/v1/topics/orders/events", order("o"), { "idempotency-key": "k" })).status).toBe(202);
  });

  test("is read up to a bound of bytes, and for a bounded time", async () => {
    const endless = body(Number.POSITIVE_INFINITY);
    await drain(endless.stream, 20_000, 60_000);
    expect(endless.seen).toEqual({ read: 21, cancelled: true });
    const dripping = body(3, "waits");
    await drain(dripping.stream, 20_000, 10);
    expect(dripping.seen).toEqual({ read: 3, cancelled: true });
  });
});
