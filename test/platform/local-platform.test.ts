/** The mechanics of the local platform, with a Worker that only tells what happens to it. */
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, expect, inject, it } from "vitest";
import { openSource } from "../../tools/lake/source.ts";
import { type Platform, type PlatformOptions, startPlatform } from "../../tools/local-platform/platform.ts";
import { QueueJournal } from "../../tools/local-platform/queue-journal/journal.ts";
import { removeState, stateFolder } from "../../tools/local-platform/state.ts";

const root = resolve(import.meta.dirname, "../..");

const WORKER = `
let sent = 0, acknowledged = 0;
const crons = [];
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/healthz") return Response.json({ messages: { sent, acknowledged } });
    if (pathname === "/send") { sent += 1; await env.TOPIC_ORDERS.send({ date: "ü" }); return new Response("sent"); }
    if (pathname === "/bytes") {
      const body = new Uint8Array(new ArrayBuffer(Number(searchParams.get("size")) + 2), 1, Number(searchParams.get("size"))).fill(7);
      const message = { body, contentType: "bytes" };
      const copies = Array.from({ length: Number(searchParams.get("copies") ?? 0) }, () => ({ ...message, body: body.slice() }));
      try { await (copies.length === 0 ? env.TOPIC_ORDERS.send(body, message) : env.TOPIC_ORDERS.sendBatch([message, ...copies, { body: "text" }])); }
      catch (error) { return new Response(String(error), { status: 503 }); }
      return Response.json({ detached: body.byteLength === 0 });
    }
    if (pathname === "/vars") return Response.json([env.ENVIRONMENT, env.EXTRA]);
    return Response.json(crons);
  },
  async queue(batch, env) {
    for (const { id, body, attempts } of batch.messages) {
      if (!(body instanceof ArrayBuffer)) {
        await env.LAKE.put("json/" + id, JSON.stringify(body));
        continue;
      }
      const bytes = new Uint8Array(body);
      const seen = { size: bytes.byteLength, first: bytes[0], attempts, backlog: batch.metadata.metrics.backlogCount };
      await env.LAKE.put("got/" + id, JSON.stringify(seen));
    }
    await env.LAKE.put("consumed", String(acknowledged + batch.messages.length));
    acknowledged += batch.messages.length;
  },
  async scheduled({ cron }) {
    if (cron === "fail") throw new Error("no");
    crons.push(cron);
  },
};
export class TopicBuffer {}
`;

let dir: string;
let stateDir: string;
const running: Platform[] = [];

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-platform-"));
  stateDir = join(dir, "state");
  writeFileSync(join(dir, "worker.js"), WORKER);
});
afterEach(async () => {
  for (const platform of running.splice(0)) await platform.stop();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function start(options: Partial<PlatformOptions> = {}): Promise<Platform> {
  const bundle = { outdir: dir, modules: [{ type: "ESModule" as const, path: join(dir, "worker.js") }] };
  const platform = await startPlatform({ root, stateDir, bundle, port: 0, crons: "manual", ...options });
  running.push(platform);
  return platform;
}

/** A state of its own with all migrations in it, which take longer than the rest of a start. */
function startedState(): string {
  const copy = join(mkdtempSync(join(dir, "state-")), "state");
  cpSync(inject("startedState"), copy, { recursive: true });
  return copy;
}

it("keeps its state over a restart, and fresh forgets it", async () => {
  const first = await start({ vars: { EXTRA: "yes" } });
  expect(await (await fetch(`${first.url}/vars`)).json()).toEqual(["local", "yes"]);
  await first.lake.put("a/b=1/c.txt", "hello");
  await first.db.prepare("INSERT INTO back_pressure VALUES ('t', '7', '', '')").run();
  const keys = await first.db.prepare("SELECT producer, scopes FROM api_keys").all();
  expect(keys.results).toEqual([{ producer: "local", scopes: '["*:write","*:read","*:admin","*:build"]' }]);
  await first.stop();

  // Stopped, its storage can be read.
  const source = await openSource(first.state);
  expect(await source.query("SELECT until FROM back_pressure")).toEqual([{ until: "7" }]);
  expect(new TextDecoder().decode(await source.read("a/b=1/c.txt"))).toBe("hello");
  await source.close();

  const second = await start();
  expect(await (await second.lake.get("a/b=1/c.txt"))?.text()).toBe("hello");
  expect(await second.db.prepare("SELECT until FROM back_pressure").first("until")).toBe("7");
  await second.stop();

  const third = await start({ fresh: true });
  expect(await third.lake.get("a/b=1/c.txt")).toBeNull();
});

it("refuses a second instance, a reset while it runs, and a taken port", async () => {
  const platform = await start();
  await expect(start()).rejects.toMatchObject({ code: "IN_USE", message: expect.stringContaining(platform.url) });
  expect(() => removeState(stateFolder(stateDir))).toThrow(platform.url);

  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => taken.once("listening", listening));
  const address = taken.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const other = { stateDir: join(dir, "other"), port: port ?? 0 };
  await expect(start(other)).rejects.toMatchObject({ code: "PORT_TAKEN", message: expect.stringContaining("--port") });
  await new Promise((closed) => taken.close(closed));
  // The refused start left nothing locked.
  const late = await start({ ...other, port: 0 });
  expect((await fetch(`${late.url}/healthz`)).status).toBe(200);
});

it("fires crons by hand and on schedule, and says when one fails", async () => {
  const manual = await start();
  await manual.runCron("0 3 * * *");
  expect(await (await fetch(manual.url)).json()).toEqual(["0 3 * * *"]);
  await expect(manual.runCron("fail")).rejects.toThrow(/"fail" ended with exception/);
  await manual.stop();

  const scheduled = await start({ crons: "schedule", planEverySeconds: 1 });
  await expect.poll(async () => (await fetch(scheduled.url)).json(), { timeout: 10_000 }).toContain("* * * * *");
});

it("drains the queues before it stops", async () => {
  const platform = await start();
  for (let i = 0; i < 3; i++) await fetch(`${platform.url}/send`);
  expect(await platform.drain()).toEqual({ drained: true });
  await expect(fetch(`${platform.url}/healthz`)).rejects.toThrow();
  const source = await openSource(platform.state);
  expect(new TextDecoder().decode(await source.read("consumed"))).toBe("3");
  await source.close();
});

it("takes a batch of messages, of bytes and not", async () => {
  const platform = await start({ stateDir: startedState() });
  expect(await (await fetch(`${platform.url}/bytes?size=3&copies=2`)).json()).toEqual({ detached: true });
  const got = async () => (await platform.lake.list({ prefix: "got/" })).objects.length;
  await expect.poll(got, { timeout: 20_000 }).toBe(3);
  await expect.poll(async () => (await platform.lake.get("consumed"))?.text(), { timeout: 20_000 }).toBe("4");
});

it("delivers after the next start what a stop left in the queues; what the queue refused does not come back", async () => {
  const own = { stateDir: startedState() };
  const first = await start(own);
  expect(await (await fetch(`${first.url}/bytes?size=3`)).json()).toEqual({ detached: true });
  // As Cloudflare's limits are, since the queue itself sees ids only.
  for (const [query, refusal] of [
    ["size=128001", "Error: Queue send failed: message length of 128001 bytes exceeds limit of 128000"],
    ["size=100000&copies=2", "Error: Queue sendBatch failed: batch size of 300000 bytes exceeds limit of 288000"],
    ["size=1&copies=99", "Error: Queue sendBatch failed: batch message count of 101 exceeds limit of 100"],
  ]) {
    const refused = await fetch(`${first.url}/bytes?${query}`);
    expect([refused.status, await refused.text()]).toEqual([503, refusal]);
  }
  // The queue waits a second for more: it has delivered nothing yet.
  await fetch(`${first.url}/send`);
  await first.stop();

  const second = await start(own);
  const got = async () => (await second.lake.list({ prefix: "got/" })).objects.map(({ key }) => key);
  await expect.poll(got, { timeout: 20_000 }).toHaveLength(1);
  const [key = ""] = await got();
  expect(await (await second.lake.get(key))?.json()).toEqual({ size: 3, first: 7, attempts: 1, backlog: 0 });
  const read = async () => {
    const { objects } = await second.lake.list({ prefix: "json/" });
    return Promise.all(objects.map(async (object) => (await second.lake.get(object.key))?.json()));
  };
  await expect.poll(read, { timeout: 20_000 }).toEqual([{ date: "ü" }]);
  expect(await second.drain()).toEqual({ drained: true });
  const journal = new QueueJournal(second.state.journal);
  expect(journal.entries()).toEqual([]);
  journal.close();
});

it("nobody else on the machine can read what it keeps, the runtime's own files included", async () => {
  const { state, lake, stop } = await start({ fresh: true });
  await lake.put("secret.txt", "an event");
  await fetch(`${running.at(-1)?.url}/send`);
  const names = readdirSync(state.dir, { recursive: true, encoding: "utf8" });
  expect(names.filter((name) => name.endsWith(".sqlite")).length).toBeGreaterThan(1);
  const open = ["", ...names].filter((name) => (statSync(join(state.dir, name)).mode & 0o077) !== 0);
  expect(open).toEqual([]);
  await stop();
});

it("the inspector serves objects, ranges, lists and reading queries, to this machine only", async () => {
  const { lake, inspectorUrl } = await start({ stateDir: startedState() });
  await lake.put("a/b=1/ü.txt", "0123456789");
  await lake.put("z.txt", "");
  const get = (path: string, range?: string) =>
    fetch(inspectorUrl + path, range === undefined ? {} : { headers: { range } });

  const whole = await get(`/lake/a/b=1/${encodeURIComponent("ü.txt")}`);
  expect([whole.status, await whole.text()]).toEqual([200, "0123456789"]);
  for (const [range, text, contentRange] of [
    ["bytes=2-4", "234", "bytes 2-4/10"],
    ["bytes=8-99", "89", "bytes 8-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
  ] as const) {
    const part = await get("/lake/a%2Fb=1%2F%C3%BC.txt", range);
    expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([206, text, contentRange]);
  }
  expect((await get("/lake/a%2Fb=1%2F%C3%BC.txt", "bytes=10-")).status).toBe(416);
  expect((await get("/lake/z.txt")).status).toBe(200);
  expect((await get("/lake/none")).status).toBe(404);
  const list = await (await get("/lake?prefix=a/")).json();
  expect(list).toMatchObject({ objects: [{ key: "a/b=1/ü.txt", size: 10 }], cursor: null });

  const query = (body: unknown) => fetch(`${inspectorUrl}/d1`, { method: "POST", body: JSON.stringify(body) });
  const read = await query({ sql: "SELECT producer FROM producers WHERE producer = ?", params: ["local"] });
  expect(await read.json()).toEqual({ results: [{ producer: "local" }] });
  expect((await query({ sql: "DELETE FROM producers" })).status).toBe(403);
  expect((await query({ sql: "SELECT * FROM nothing" })).status).toBe(422);
  expect((await query({ params: [] })).status).toBe(400);
});
