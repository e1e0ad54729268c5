import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LiveSource } from "../../../../producers/simulators/live.ts";
import type { SimulatedEvent } from "../../../../producers/simulators/plan.ts";
import { simulateLive } from "../../../../tools/dev/simulate-live.ts";
import { fileWatermarks, type Watermarks } from "../../../../tools/dev/watermarks.ts";

let dir: string;
let server: Server | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-watermarks-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
  server?.close();
  server = undefined;
});

test("a watermark is kept by topic and platform, and survives damage as a reset", () => {
  const here = fileWatermarks(join(dir, "marks"), "http://here");
  const there = fileWatermarks(join(dir, "marks"), "http://there");
  expect(here.read("users")).toBeNull();
  here.write("users", 1_795_262_400_123);
  there.write("users", 1_795_262_500_000);
  expect([here.read("users"), there.read("users"), here.read("restaurants")]).toEqual([
    1_795_262_400_123,
    1_795_262_500_000,
    null,
  ]);
  here.reset("users");
  expect([here.read("users"), there.read("users")]).toEqual([null, null]);
  here.write("users", 1);
  writeFileSync(join(dir, "marks", "users.json"), "{");
  expect(here.read("users")).toBeNull();
});

const events: readonly SimulatedEvent[] = ["a", "b", "c"].map((id) => ({
  topic: "users",
  line: JSON.stringify({ event_id: id }),
  eventId: id,
  label: { kind: "good" },
}));

/** Polls `events` from a gateway that answers as told, until its first answer. */
async function pollOnce(
  status: number,
  body: object,
): Promise<{ watermarks: Watermarks; accepted: number; log: string[] }> {
  const stop = new AbortController();
  const url = await new Promise<string>((resolve) => {
    server = createServer((request, response) => {
      request.resume().on("end", () => {
        stop.abort();
        response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
      });
    }).listen(0, "127.0.0.1", () => {
      const address = server?.address();
      resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
    });
  });
  const watermarks = fileWatermarks(dir, url);
  const source: LiveSource = { topic: "users", everyMs: 86_400_000, poll: () => ({ events, watermarkMs: 5_000 }) };
  const log: string[] = [];
  const { accepted } = await simulateLive({
    baseUrl: url,
    apiKey: "key",
    rate: 0,
    polled: { sources: [source], watermarks },
    signal: stop.signal,
    kill: new AbortController().signal,
    log: (line) => log.push(line),
  });
  return { watermarks, accepted, log };
}

test("the watermark moves once the rows are stored, the simulation being stopped meanwhile", async () => {
  const answer = { request_id: "r", topic: "users", accepted: 3, rejected: 0, retry: 0, results: [] };
  const { watermarks, accepted } = await pollOnce(202, answer);
  expect([watermarks.read("users"), accepted]).toEqual([5_000, 3]);
});

test("the watermark stays where the gateway refused the request, and the log says why", async () => {
  const { watermarks, accepted, log } = await pollOnce(403, { code: "FORBIDDEN" });
  expect([watermarks.read("users"), accepted]).toEqual([null, 0]);
  expect(log.join("\n")).toContain("answered 403");
});
