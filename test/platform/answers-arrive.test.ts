/**
 * Where the Worker answers without reading the body, the client still gets the answer: each kind 150 times by curl, in a session
 * of fetch, and pipelined.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { longOrShare } from "../long-share.ts";
import { startTestPlatform, type TestPlatform } from "./harness.ts";

const TIMES = longOrShare(150, 30);
/** More than a socket's buffers hold, so that the client is still writing when the answer comes. */
const LARGE = 300_000;
const MIDDLE = 100_000;
const SMALL = 20_000;

interface Kind {
  readonly name: string;
  readonly status: number;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const KEY = { authorization: "Bearer local-dev-key" };
const KINDS: readonly Kind[] = [
  { name: "no key", status: 401, method: "POST", path: "/v1/topics/orders/events" },
  {
    name: "a text that is no key, for the registry",
    status: 401,
    method: "POST",
    path: "/registry/subjects/x",
    headers: { authorization: "Basic eDp5" },
  },
  { name: "nothing there, open", status: 404, method: "POST", path: "/nothing" },
  { name: "nothing there, with a key", status: 404, method: "POST", path: "/v1/nothing", headers: KEY },
  { name: "no such topic", status: 404, method: "POST", path: "/v1/topics/nope/events", headers: KEY },
  { name: "another method", status: 405, method: "PUT", path: "/v1/topics", headers: KEY },
  {
    name: "a subject that the registry does not have",
    status: 404,
    method: "POST",
    path: "/registry/subjects/nope-value/versions",
    headers: KEY,
  },
  { name: "another method, at the registry", status: 405, method: "PATCH", path: "/registry/config", headers: KEY },
  { name: "a GET with a body", status: 200, method: "GET", path: "/v1/topics", headers: KEY },
  { name: "a GET with a body, open", status: 200, method: "GET", path: "/healthz" },
  {
    name: "a POST whose body nobody asked for",
    status: 202,
    method: "POST",
    path: "/v1/topics/weather/flush",
    headers: KEY,
  },
  {
    name: "a type that is not taken",
    status: 415,
    method: "POST",
    path: "/v1/topics/orders/events",
    headers: { ...KEY, "content-type": "text/csv" },
  },
  {
    name: "a preflight with a body",
    status: 403,
    method: "OPTIONS",
    path: "/v1/topics/orders/events",
    headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
  },
];
/** Answered in the middle of the body; sent fewer times, since each is read for long. */
const STOPPED: readonly (Kind & { readonly bytes: number })[] = [
  {
    name: "a body over its limit",
    status: 413,
    method: "POST",
    path: "/v1/topics/orders/events",
    headers: { ...KEY, "content-type": "application/json" },
    bytes: 25_000_000,
  },
  { name: "a large body to nowhere", status: 404, method: "POST", path: "/nothing", bytes: 25_000_000 },
  {
    name: "a schema over its limit",
    status: 413,
    method: "POST",
    path: "/registry/subjects/orders-value/versions",
    headers: KEY,
    bytes: 3_000_000,
  },
];

let platform: TestPlatform;
let folder: string;
let urls: { readonly edge: string; readonly main: string };

beforeAll(async () => {
  platform = await startTestPlatform({ edge: true });
  folder = mkdtempSync(join(tmpdir(), "sluice-answers-"));
  urls = { edge: platform.platform.url, main: (await platform.platform.mf.ready).origin };
});
afterAll(async () => {
  await platform.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = promisify(execFile);
const hasCurl = spawnSync("curl", ["--version"]).status === 0;

/** How many transfers ended with which status and which error of curl's; 0 is none. */
async function curl(kind: Kind, url: string, times: number, bytes: number, more: readonly string[] = []) {
  const file = join(folder, `${bytes}.body`);
  writeFileSync(file, "a".repeat(bytes));
  const headers = Object.entries(kind.headers ?? {}).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const { stdout } = await run(
    "curl",
    [
      ...[
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{exitcode} %{num_connects}\n",
        "-H",
        "Expect:",
        ...headers,
        ...more,
      ],
      ...["-X", kind.method, "--data-binary", `@${file}`, `${url}${kind.path}?n=[1-${times}]`],
    ],
    { maxBuffer: 10_000_000 },
  ).catch((error: { stdout: string }) => error);
  const transfers = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const counts: Record<string, number> = {};
  for (const [status, error] of transfers) counts[`${status} ${error}`] = (counts[`${status} ${error}`] ?? 0) + 1;
  return { counts, connections: transfers.reduce((sum, [, , connects]) => sum + Number(connects), 0) };
}

/** The statuses of all answers to `times` requests that are written at once to one connection. */
function pipelined(kind: Kind, url: string, times: number, bytes: number): Promise<Record<string, number>> {
  const { hostname, port, host } = new URL(url);
  const head = { host, "content-length": String(bytes), ...kind.headers };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = `${kind.method} ${kind.path} HTTP/1.1\r\n${lines.join("")}\r\n${"a".repeat(bytes)}`;
  return new Promise((resolve) => {
    const counts: Record<string, number> = {};
    let [seen, text] = [0, ""];
    const socket = connect(Number(port), hostname, () => socket.write(request.repeat(times)));
    const end = (how: string): void => {
      socket.destroy();
      resolve(how === "" ? counts : { ...counts, [how]: 1 });
    };
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      for (const [, status = ""] of text.matchAll(/HTTP\/1\.1 (\d+) /g)) {
        counts[status] = (counts[status] ?? 0) + 1;
        seen++;
      }
      // A status line that this chunk has only begun.
      text = /HTTP\/1\.1 \d+ /.test(text.slice(-20)) ? "" : text.slice(-12);
      if (seen >= times) end("");
    });
    socket.on("close", () => end("closed early")).on("error", (error) => end(error.message));
  });
}

async function session({ method, path, headers = {} }: Kind, url: string): Promise<Record<string, number>> {
  // fetch sends no body with a GET.
  const body = method === "GET" ? {} : { body: "a".repeat(MIDDLE) };
  const counts: Record<string, number> = {};
  for (let i = 0; i < TIMES; i++) {
    const outcome = await fetch(`${url}${path}`, { method, headers, ...body }).then(statusOf, (error) => error.message);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

async function statusOf(answer: Response): Promise<string> {
  await answer.arrayBuffer();
  return String(answer.status);
}

const main = KINDS.map((kind) => ({ ...kind, at: "main" as const }));
/** Some that the edge answers itself, and one that it hands to the main process. */
const edge = KINDS.filter(({ name }) => ["no key", "no such topic", "nothing there, open"].includes(name)).map(
  (kind) => ({
    ...kind,
    at: "edge" as const,
  }),
);

describe.each([...main, ...edge])("$status, $name, at the $at", (kind) => {
  const { status, at } = kind;

  test.skipIf(!hasCurl)("curl, by connections that are kept", async () => {
    const { counts, connections } = await curl(kind, urls[at], TIMES, LARGE);
    expect(counts).toEqual({ [`${status} 0`]: TIMES });
    // The body was read to its end, so the connection goes on.
    expect(connections).toBeLessThan(5);
  });

  test("a session of fetch", async () => {
    expect(await session(kind, urls[at])).toEqual({ [status]: TIMES });
  });

  test("pipelined", async () => {
    expect(await pipelined(kind, urls[at], TIMES, SMALL)).toEqual({ [status]: TIMES });
  });
});

test.skipIf(!hasCurl).each(STOPPED)("$status, $name: curl, with a length and in chunks", async (kind) => {
  expect((await curl(kind, urls.main, 3, kind.bytes)).counts).toEqual({ [`${kind.status} 0`]: 3 });
  const chunked = ["-H", "Transfer-Encoding: chunked"];
  expect((await curl(kind, urls.main, 3, kind.bytes, chunked)).counts).toEqual({ [`${kind.status} 0`]: 3 });
});
