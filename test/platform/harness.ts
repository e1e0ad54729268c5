/** A platform for one test file: the real bundle in workerd, on a state of its own, read back by DuckDB. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { inject } from "vitest";
import { CLOCK_PATH } from "../../tools/chaos/faults/clock.ts";
import { STATE_TABLE_NAMES } from "../../tools/lake/catalog.ts";
import { type Lake, openLake } from "../../tools/lake/open.ts";
import { bindingsSource } from "../../tools/lake/source.ts";
import { type Platform, startPlatform } from "../../tools/local-platform/platform.ts";
import { buildTestBundle, FAULTS_ENTRY } from "./bundles.ts";

const root = resolve(import.meta.dirname, "../..");

export interface TestPlatform {
  readonly platform: Platform;
  /** What the Worker logged as an error; a test that expects none looks here. */
  readonly errors: string[];
  /** Everything that the Worker logged. */
  readonly logs: string[];
  readonly stateDir: string;
  post(topic: string, body: string | Uint8Array, options?: PostOptions): Promise<Answer>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Arms the bindings of `tools/chaos/faults/worker.ts`. */
  arm(faults: Readonly<Record<string, unknown>>): Promise<void>;
  /** Sets the clock ahead, with `faults` only: alarms ring, caches are stale. Not D1's clock, nor the queues' timers. */
  passTime(ms: number): Promise<void>;
  /**
   * Fires the planner and waits until `done`; throws with `what` when it does not come true in a minute. `ticksMayFail`: of a fault
   * that is armed for long, which an hourly duty meets if it is the first minute of an hour.
   */
  until(what: string, done: () => Promise<boolean>, options?: { readonly ticksMayFail?: boolean }): Promise<void>;
  /** The lake of this moment. The caller closes it. */
  lake(): Promise<Lake>;
  rows(sql: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export interface PostOptions {
  readonly type?: string;
  readonly key?: string | null;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever came; each test says what it expects of it.
  readonly json: any;
}

export interface HarnessOptions {
  /** Bundles `tools/chaos/faults/worker.ts` in place of the Worker's own entry. */
  readonly faults?: boolean;
  /** Bundles this entry, relative to the project, in place of the Worker's own. */
  readonly entry?: string;
  readonly stateDir?: string;
  readonly crons?: "schedule" | "manual";
  readonly edge?: boolean;
  /** Sees each line that the Worker logs. */
  readonly onWorkerLog?: (log: { readonly level: string; readonly message: string }) => void;
  /** Over wrangler.toml's and the harness's own. */
  readonly vars?: Readonly<Record<string, string>>;
}

/** A batch is what is there, and nothing comes again later than after a second. */
const SHORT_WAITS = { batchSeconds: 0, retrySeconds: 1 };
const BETWEEN_LOOKS_MS = 100;
/** The planner starts builds itself as others end: a tick is needed after each flush only, and takes more of the machine than a look. */
const LOOKS_A_TICK = 3;
const LOOKS = 60_000 / BETWEEN_LOOKS_MS;

export async function startTestPlatform(options: HarnessOptions = {}): Promise<TestPlatform> {
  const bundle = await buildTestBundle(options.faults === true ? FAULTS_ENTRY : options.entry);
  const own = options.stateDir === undefined;
  const stateDir = options.stateDir ?? join(mkdtempSync(join(tmpdir(), "sluice-test-")), "state");
  if (own) cpSync(inject("startedState"), stateDir, { recursive: true });
  const errors: string[] = [];
  const logs: string[] = [];
  const platform = await startPlatform({
    root,
    bundle,
    stateDir,
    port: 0,
    crons: options.crons ?? "manual",
    edge: options.edge ?? false,
    planEverySeconds: 1,
    queueWaits: SHORT_WAITS,
    vars: { FLUSH_AGE_SECONDS: "0.2", ...options.vars },
    onWorkerLog: ({ level, message }) => {
      options.onWorkerLog?.({ level, message });
      logs.push(message);
      if (level === "error") errors.push(message);
    },
  });

  const call = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${platform.url}${path}`, init);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  };
  async function tick(mayFail: boolean): Promise<void> {
    await platform.runCron("* * * * *").catch((error: unknown) => {
      if (!mayFail) throw error;
    });
  }
  const lake = (stateTables = STATE_TABLE_NAMES) =>
    openLake({ source: bindingsSource(platform.db, platform.lake), cacheDir: platform.state.cache, stateTables });

  return {
    platform,
    errors,
    logs,
    stateDir,
    post: (topic, body, { type = "application/json", key = platform.apiKey, query = "", headers = {} } = {}) =>
      call(`/v1/topics/${topic}/events${query}`, {
        method: "POST",
        body,
        headers: { "content-type": type, ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
      }),
    get: (path, headers = { authorization: `Bearer ${platform.apiKey}` }) => call(path, { headers }),
    async arm(faults) {
      await call("/__faults", { method: "POST", body: JSON.stringify(faults) });
    },
    async passTime(ms) {
      const edge = options.edge === true ? [{ "Idempotency-Key": "main process" }, {}] : [{}];
      for (const headers of edge) {
        const { status } = await call(`${CLOCK_PATH}?ahead=${ms}`, { method: "POST", headers });
        if (status !== 200) throw new Error(`the clock was not set ahead: ${status}; it needs { faults: true }`);
      }
    },
    async until(what, done, { ticksMayFail = false } = {}) {
      for (let look = 0; look < LOOKS; look++) {
        if (await done()) return;
        if (look % LOOKS_A_TICK === 0) await tick(ticksMayFail);
        await delay(BETWEEN_LOOKS_MS);
      }
      const state = await platform.db
        .prepare("SELECT domain, partition_date, status, error_message FROM partition_meta")
        .all();
      throw new Error(
        `${what} did not come true within a minute; partitions: ${JSON.stringify(state.results)}; errors: ${errors.slice(-3).join(" | ")}`,
      );
    },
    lake: () => lake(),
    async rows(sql) {
      const opened = await lake(STATE_TABLE_NAMES.filter((name) => sql.includes(name)));
      try {
        return (await opened.connection.runAndReadAll(sql)).getRowObjectsJson();
      } finally {
        opened.close();
      }
    },
    async close() {
      await platform.stop();
      if (own) rmSync(join(stateDir, ".."), { recursive: true, force: true });
    },
  };
}

/** Whether D1 knows of at least this many bronze rows of a topic. */
export async function bronzeRows(platform: Platform, topic: string): Promise<number> {
  const sum = await platform.db
    .prepare("SELECT coalesce(sum(rows), 0) AS n FROM bronze_files WHERE topic = ? AND retired_by IS NULL")
    .bind(topic)
    .first<number>("n");
  return sum ?? 0;
}

/** Whether everything that was registered is built. */
export async function allBuilt(platform: Platform): Promise<boolean> {
  const row = await platform.db
    .prepare(
      `SELECT (SELECT count(*) FROM partition_inputs WHERE version <> built_version) +
              (SELECT count(*) FROM partition_meta WHERE status <> 'DONE') AS n, (SELECT count(*) FROM partition_meta) AS built`,
    )
    .first<{ n: number; built: number }>();
  return row !== null && row.n === 0 && row.built > 0;
}
