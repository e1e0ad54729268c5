import { Hono } from "hono";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { GatewayEnv } from "../../../gateway/context.ts";
import { bodyLimit } from "../../../gateway/middleware/body-limit/body-limit.ts";
import { ProblemError } from "../../../gateway/problem.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** A request whose body is written by hand, to a route that reads it and answers its text. */
function request(headers: Record<string, string> = {}) {
  let now = 1_000_000;
  const app = new Hono<GatewayEnv>();
  const deadlines = { idleMs: 15_000, totalMs: 60_000 };
  app.use(bodyLimit({ maxBytes: 1_000_000, deadlines, now: () => now }));
  app.post("/", async (c) => {
    let text = "";
    for await (const chunk of c.get("bodyChunks")().chunks) text += Buffer.from(chunk).toString();
    return c.text(text);
  });
  app.onError((error, c) => c.text(error instanceof ProblemError ? error.code : String(error), 500));
  let cancelled = false;
  const sender = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => sender.resolve(controller),
    cancel() {
      cancelled = true;
    },
  });
  // Node demands the word for a stream; the Worker's types do not know it.
  const init = Object.assign({ method: "POST", body, headers }, { duplex: "half" });
  const answer = Promise.resolve(app.request("/", init)).then((response) => response.text());
  return {
    answer,
    cancelled: () => cancelled,
    async write(text: string) {
      (await sender.promise).enqueue(new TextEncoder().encode(text));
    },
    async end() {
      (await sender.promise).close();
    },
    async wait(ms: number) {
      await new Promise((resolve) => setImmediate(resolve));
      now += ms;
      await vi.advanceTimersByTimeAsync(ms);
    },
  };
}

test("a body that is silent for too long is refused, and cancelled", async () => {
  const { answer, write, wait, cancelled } = request();
  for (const line of ["a", "b"]) {
    await write(line);
    await wait(14_000);
  }
  await write("c");
  await wait(15_001);
  expect([await answer, cancelled()]).toEqual(["BODY_TIMEOUT", true]);
  expect(vi.getTimerCount()).toBe(0);
});

test("a body of a byte now and then ends with its total time; one that keeps within it is taken", async () => {
  const trickle = request();
  for (let second = 0; second < 60; second += 10) {
    await trickle.write(".");
    await trickle.wait(10_000);
  }
  expect([await trickle.answer, trickle.cancelled()]).toEqual(["BODY_TIMEOUT", true]);
  const steady = request();
  for (let second = 0; second < 56; second += 14) {
    await steady.write(".");
    await steady.wait(14_000);
  }
  await steady.end();
  expect(await steady.answer).toBe("....");
  expect(vi.getTimerCount()).toBe(0);
});

test("a short body with its length in front, which is read in one call, is not waited for without end either", async () => {
  const { answer, write, wait } = request({ "content-length": "1000" });
  await write("{");
  await wait(15_001);
  expect(await answer).toBe("BODY_TIMEOUT");
});
