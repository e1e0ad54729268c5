/** Dollars for a million events, from operations counted while they went from HTTP to gold. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { buildBundle } from "../build/bundle.ts";
import { type Platform, startPlatform } from "../local-platform/platform.ts";
import { CPU_MILLISECOND_PRICE, type Operations, operationsIn, PRICES, priced, scaled } from "../prices.ts";
import type { Bench } from "./bench.ts";
import { load } from "./ingest/load.ts";
import { orderLines } from "./order-lines.ts";
import { cpuOf, workerds } from "./workerd-cpu.ts";

const EVENTS_PER_REQUEST = 100;
const EVENTS_PER_SECOND = 1_000;
const MINUTES = 5;
const REQUESTS_A_MINUTE = (EVENTS_PER_SECOND * 60) / EVENTS_PER_REQUEST;
const BUDGET_DOLLARS = 0.02;
const EVENT_BYTES = 500;
/** Longer than a minute's events take to be sent, so that each shard flushes them once, as it would at their rate. */
const FLUSH_AGE_SECONDS = 20;
const TIMEOUT_MS = 180_000;

const root = resolve(import.meta.dirname, "../..");

export const bench: Bench = {
  explanation: `Sends ${MINUTES} minutes of ${EVENTS_PER_SECOND} orders a second, ${EVENTS_PER_REQUEST} a request, of one schema version and padded to ${EVENT_BYTES} bytes each, through the
real bundle with bindings that count what Cloudflare bills (batches of 100 messages, as production's ten seconds gather at that rate); each minute is sent at once, flushed, and followed by the cron until silver and gold are built.
The counts, scaled to a million events, times the price list (tools/prices.ts), past what the plan includes; storage is not counted,
nor what the first tick of a deploy announces.
CPU is that of the whole local runtime, its simulation of queues and stores included: an upper bound. Beside it a design of one message and
one row an event: the same requests. Budget $${BUDGET_DOLLARS}.`,
  async run(log) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-cost-"));
    const bundle = await buildBundle({ root, outdir: "dist/cost", entry: "tools/bench/cost/counting-worker.ts" });
    const before = new Set(workerds());
    const platform = await startPlatform({
      root,
      bundle,
      stateDir: join(folder, "state"),
      port: 0,
      crons: "manual",
      vars: { FLUSH_AGE_SECONDS: String(FLUSH_AGE_SECONDS) },
    });
    try {
      const pids = workerds().filter((pid) => !before.has(pid));
      const cpu = () => cpuOf(pids).all;
      const bodies = orderBodies();
      await announced(platform);
      const cpuBefore = cpu();
      const start = await operationsOf(platform);
      for (let minute = 1; minute <= MINUTES; minute++) {
        await sendMinute(platform, bodies);
        await built(platform);
        log(`minute ${minute} of ${MINUTES} is in gold`);
      }
      const events = MINUTES * REQUESTS_A_MINUTE * EVENTS_PER_REQUEST;
      const counted = scaled(await operationsOf(platform), start, 1e6 / events);
      const cpuDollars = (cpu() - cpuBefore) * (1e6 / events) * CPU_MILLISECOND_PRICE;
      for (const { operation, count, dollars } of priced(counted)) {
        log(`${operation.padEnd(20)} ${Math.round(count).toLocaleString("en").padStart(10)}  $${dollars.toFixed(5)}`);
      }
      log(`${"CPU, upper bound".padEnd(31)}  $${cpuDollars.toFixed(5)}`);
      const dollars = priced(counted).reduce((sum, each) => sum + each.dollars, cpuDollars);
      const naive =
        counted.requests * PRICES.requests + cpuDollars + 3e6 * PRICES.queueOperations + 1e6 * PRICES.objectRowsWritten;
      log(`a million events: $${dollars.toFixed(4)}; one message and one row an event: $${naive.toFixed(2)}`);
      const ratio = dollars / BUDGET_DOLLARS;
      return { ratio, budget: 1, ok: ratio <= 1, dollars_per_million: dollars, naive_dollars_per_million: naive };
    } finally {
      await platform.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** One body a request of a minute. Padded by blanks: the event's size is the body's, not what it holds. */
function orderBodies(): Uint8Array[] {
  const lines = orderLines(13, REQUESTS_A_MINUTE * EVENTS_PER_REQUEST, Date.now(), 60_000);
  return Array.from({ length: REQUESTS_A_MINUTE }, (_, number) => {
    const body = lines.slice(number * EVENTS_PER_REQUEST, (number + 1) * EVENTS_PER_REQUEST);
    return new TextEncoder().encode(`[${body.map((line) => line.padEnd(EVENT_BYTES - 1)).join(",")}]`);
  });
}

/** The first tick of a deploy tells its releases: a cost of the deploy, not of events. */
async function announced(platform: Platform): Promise<void> {
  await asked(platform, "/__tick");
  await until("bronze", async () => (await rowsOf(platform, ANNOUNCED)) > 0);
  await built(platform);
}

/** Sends a minute's events and waits until all are in bronze: one flush of each shard, as its age would make it. */
async function sendMinute(platform: Platform, bodies: readonly Uint8Array[]): Promise<void> {
  const before = await rowsOf(platform, BRONZE_ROWS);
  const headers = { "content-type": "application/json", authorization: `Bearer ${platform.apiKey}` };
  const url = `${platform.url}/v1/topics/orders/events`;
  await load({ url, headers, bodies, connections: 8, end: { afterRequests: bodies.length } });
  const sent = bodies.length * EVENTS_PER_REQUEST;
  await until("bronze", async () => (await rowsOf(platform, BRONZE_ROWS)) === before + sent);
}

const BRONZE_ROWS =
  "SELECT coalesce(sum(rows), 0) AS n FROM bronze_files WHERE topic = 'orders' AND retired_by IS NULL";
const ANNOUNCED = "SELECT count(*) AS n FROM bronze_files WHERE topic = 'schema_changes'";
const UNBUILT = `SELECT (SELECT count(*) FROM partition_inputs WHERE version <> built_version) +
  (SELECT count(*) FROM partition_meta WHERE status <> 'DONE') AS n`;

/** One tick of the cron, as a minute has, and then no more than its builds need. */
async function built(platform: Platform): Promise<void> {
  await asked(platform, "/__tick");
  await until("gold", async () => (await rowsOf(platform, UNBUILT)) === 0);
}

async function rowsOf(platform: Platform, query: string): Promise<number> {
  const answer: unknown = await asked(platform, "/__rows", query);
  const rows: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, "n") : undefined;
  if (typeof rows !== "number") throw new Error(`no number of rows: ${JSON.stringify(answer)}`);
  return rows;
}

/** On a connection of its own: a runtime that builds for seconds closes those that it could not read meanwhile. */
async function asked(platform: Platform, path: string, body = ""): Promise<unknown> {
  const response = await fetch(`${platform.url}${path}`, { method: "POST", body, headers: { connection: "close" } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`not all is in ${what} after ${TIMEOUT_MS / 1_000} s`);
    await delay(200);
  }
}

async function operationsOf(platform: Platform): Promise<Operations> {
  return operationsIn(await asked(platform, "/__operations"));
}
