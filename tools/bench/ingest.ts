/** Events a second from HTTP to bronze, sustained, against a route that only parses the same bodies. */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { buildBundle } from "../build/bundle.ts";
import { openLake } from "../lake/open.ts";
import { bindingsSource } from "../lake/source.ts";
import { readMessageCounts } from "../local-platform/drain.ts";
import { type Platform, startPlatform } from "../local-platform/platform.ts";
import { runtimeConfig, startRuntime } from "../local-platform/worker-runtime.ts";
import type { Bench } from "./bench.ts";
import { type LoadOptions, load, percentile } from "./ingest/load.ts";
import { type SustainedRates, sustained } from "./ingest/sustained.ts";
import { orderLines } from "./order-lines.ts";

const EVENTS_PER_REQUEST = 100;
const BODIES = 200;
/** With half as many the cores stand idle for a tenth of the time: all wait for an answer. */
const CONNECTIONS = 32;
const SECONDS = 60;
/** Of full load before that: V8 compiles, and the first flush is still to come. */
const LEAD_SECONDS = 8;
const PARSE_SECONDS = 15;
const PACED_SECONDS = 15;
const BUDGET = 2;
const hasEdge = availableParallelism() > 1;
/** Messages; Miniflare's broker holds ten thousand. */
const MAX_BACKLOG = 1_000;
/** A request of its own to both processes, so not often. */
const BACKLOG_POLL_MS = 250;
const POLL_MS = 100;
const BRONZE_TIMEOUT_MS = 300_000;

const root = resolve(import.meta.dirname, "../..");

export const bench: Bench = {
  explanation: `Posts orders of one schema version, ${EVENTS_PER_REQUEST} a request over ${CONNECTIONS} connections, as fast as they are answered while at most ${MAX_BACKLOG} messages wait. After ${LEAD_SECONDS} s of it
it takes, for at least ${SECONDS} s from one registered file of bronze to another, the rate of events that are accepted and of events in registered files: the lower one is ours. Then it asks for a flush as \`sluice topics flush\`
does, waits until every event is in a registered file, and has DuckDB count them there. With two cores or more, as in \`npm run dev\`, one workerd has the gateway (an edge), another one the queues, buffers and flushes; this
process has the sender and, in a thread, the queues' journal. The baseline is a Hono route in raw Miniflare, one workerd, that parses the same bodies, ${PARSE_SECONDS} s before and ${PARSE_SECONDS} s after. The ratio is the
baseline's rate by ours; budget ${BUDGET}. Then both at half of our rate: the times until accepted.`,
  async run(log) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-ingest-"));
    const parseOnly = await startParseOnly(join(folder, "parse-only"));
    const bundle = await buildBundle({ root, outdir: "dist" });
    const stateDir = join(folder, "state");
    const platform = await startPlatform({ root, bundle, stateDir, port: 0, crons: "manual", edge: hasEdge });
    const bodies = orderBodies();
    const headers = { "content-type": "application/json", authorization: `Bearer ${platform.apiKey}` };
    const shape = { headers, bodies, connections: CONNECTIONS };
    const routes = { parse: `${parseOnly.url}${PATH}`, ingest: `${platform.url}${PATH}` };
    try {
      const parseRate = async () => {
        const { requests, seconds } = await load({ ...shape, url: routes.parse, end: { afterSeconds: PARSE_SECONDS } });
        return (requests * EVENTS_PER_REQUEST) / seconds;
      };
      await load({ ...shape, url: routes.parse, end: { afterSeconds: 2 } });
      const before = await parseRate();
      log(`parse only: ${thousands(before)} events/s`);
      const full = await fullLoad(platform, { ...shape, url: routes.ingest }, log);
      const ingestRate = Math.min(full.rates.accepted, full.rates.registered);
      const after = await parseRate();
      log(`parse only: ${thousands(after)} events/s`);
      const rate = (before + after) / 2;
      const paced = {
        ...shape,
        end: { afterSeconds: PACED_SECONDS },
        requestsPerSecond: ingestRate / 2 / EVENTS_PER_REQUEST,
      };
      const parseTimes = await load({ ...paced, url: routes.parse });
      const ingestTimes = await load({ ...paced, url: routes.ingest });
      const figures = {
        events_per_second: Math.round(ingestRate),
        with_start_and_end_events_per_second: Math.round(full.events / full.seconds),
        parse_only_events_per_second: Math.round(rate),
        p50_ms: percentile(ingestTimes.latencies, 0.5),
        p99_ms: percentile(ingestTimes.latencies, 0.99),
        parse_only_p50_ms: percentile(parseTimes.latencies, 0.5),
        parse_only_p99_ms: percentile(parseTimes.latencies, 0.99),
      };
      log(`at half of that, accepted: p50 ${figures.p50_ms.toFixed(1)} ms, p99 ${figures.p99_ms.toFixed(1)} ms`);
      log(`parse only: p50 ${figures.parse_only_p50_ms.toFixed(1)} ms, p99 ${figures.parse_only_p99_ms.toFixed(1)} ms`);
      const ratio = rate / ingestRate;
      return { ratio, budget: BUDGET, ok: ratio <= BUDGET, edge: hasEdge, events: full.events, ...figures };
    } finally {
      await Promise.all([platform.stop(), parseOnly.stop()]);
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface FullLoad {
  readonly rates: SustainedRates;
  /** All that were sent, each in bronze. */
  readonly events: number;
  /** From the first request until the last event was in bronze. */
  readonly seconds: number;
}

/** Loads the gateway until the rates are known, and sees every event into bronze. */
async function fullLoad(
  platform: Platform,
  shape: Omit<LoadOptions, "end">,
  log: (line: string) => void,
): Promise<FullLoad> {
  const start = performance.now();
  const backlog = watchBacklog(platform.url);
  const measured = new AbortController();
  let events = 0;
  const onAnswer = () => {
    events += EVENTS_PER_REQUEST;
  };
  const [rates] = await Promise.all([
    sustained({
      leadSeconds: LEAD_SECONDS,
      seconds: SECONDS,
      registered: () => registeredRows(platform),
      accepted: () => events,
    }).finally(() => measured.abort()),
    load({ ...shape, end: { signal: measured.signal }, ready: backlog.low, onAnswer }),
  ]).finally(() => backlog.stop());
  log(`accepted ${thousands(rates.accepted)} events/s, in bronze ${thousands(rates.registered)} events/s`);
  await consumed(platform.url);
  await flushed(platform);
  await inBronze(platform, events);
  const seconds = (performance.now() - start) / 1_000;
  log(`all ${thousands(events)} in bronze after ${seconds.toFixed(1)} s: ${thousands(events / seconds)} events/s`);
  await demandRows(platform, events);
  return { rates, events, seconds };
}

/** Holds the sender back while many messages wait: what bronze cannot keep up with is not sustained. */
function watchBacklog(url: string): { low(): Promise<void>; stop(): Promise<void> } {
  let waiting = 0;
  let stopped = false;
  async function poll(): Promise<void> {
    while (!stopped) {
      const counts = await readMessageCounts(url);
      if (counts !== undefined) waiting = counts.sent - counts.acknowledged;
      await delay(BACKLOG_POLL_MS);
    }
  }
  const polling = poll();
  return {
    async low() {
      while (waiting > MAX_BACKLOG) await delay(BACKLOG_POLL_MS);
    },
    async stop() {
      stopped = true;
      await polling;
    },
  };
}

const PATH = "/v1/topics/orders/events";
const FLUSH_PATH = "/v1/topics/orders/flush";

function orderBodies(): Uint8Array[] {
  const lines = orderLines(11, EVENTS_PER_REQUEST * BODIES, Date.now(), 3_600_000);
  return Array.from({ length: BODIES }, (_, number) =>
    new TextEncoder().encode(
      `[${lines.slice(number * EVENTS_PER_REQUEST, (number + 1) * EVENTS_PER_REQUEST).join(",")}]`,
    ),
  );
}

async function startParseOnly(storage: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const entry = "tools/bench/ingest/parse-only-worker.ts";
  const bundle = await buildBundle({ root, outdir: "dist/parse-only", entry });
  const config = runtimeConfig(join(root, "wrangler.toml"), bundle, {});
  const runtime = await startRuntime(config, null, storage, 0, () => {});
  return { url: (await runtime.ready).origin, stop: () => runtime.dispose() };
}

/** Waits until every message is with its buffer. */
async function consumed(url: string): Promise<void> {
  for (;;) {
    const counts = await readMessageCounts(url);
    if (counts !== undefined && counts.sent === counts.acknowledged) return;
    await delay(POLL_MS);
  }
}

/** Asks for what buffers would write at the end of their flush age. */
async function flushed(platform: Platform): Promise<void> {
  const headers = { authorization: `Bearer ${platform.apiKey}` };
  const { ok, status } = await fetch(`${platform.url}${FLUSH_PATH}`, { method: "POST", headers });
  if (!ok) throw new Error(`${FLUSH_PATH} answered ${status}`);
}

/** Waits until files with this many orders are registered: then builds and analysts see them. */
async function inBronze(platform: Platform, rows: number): Promise<void> {
  const deadline = performance.now() + BRONZE_TIMEOUT_MS;
  for (;;) {
    const registered = await registeredRows(platform);
    if (registered >= rows) return;
    if (performance.now() > deadline) throw new Error(`bronze has ${registered} of ${rows} events`);
    await delay(POLL_MS);
  }
}

/** Throws Error unless DuckDB, which reads the files, counts this many orders in bronze. */
async function demandRows(platform: Platform, rows: number): Promise<void> {
  const counted = await bronzeRows(platform);
  if (counted !== rows) throw new Error(`bronze has ${counted} rows of ${rows} events`);
}

async function registeredRows(platform: Platform): Promise<number> {
  const sum = "SELECT coalesce(sum(rows), 0) AS n FROM bronze_files WHERE topic = 'orders' AND retired_by IS NULL";
  return (await platform.db.prepare(sum).first<number>("n")) ?? 0;
}

async function bronzeRows(platform: Platform): Promise<number> {
  const lake = await openLake({ source: bindingsSource(platform.db, platform.lake), cacheDir: platform.state.cache });
  try {
    const [row] = (await lake.connection.runAndReadAll("SELECT count(*) FROM bronze_orders")).getRows();
    return Number(row?.[0] ?? 0);
  } finally {
    lake.close();
  }
}

function thousands(count: number): string {
  return Math.round(count).toLocaleString("en");
}
