/** The platform whose day is fast-forwarded, as the bench drives it. */
import { join } from "node:path";
import * as z from "zod";
import type { Bundle } from "../../build/bundle.ts";
import { startPlatform } from "../../local-platform/platform.ts";
import { operationsIn } from "../../prices.ts";
import { cpuOf, workerds } from "../workerd-cpu.ts";
import type { Counts } from "./tally.ts";
import type { Usage } from "./usage.ts";
import { CLOCK_TABLE, withClockTable } from "./virtual-clock.ts";

export interface VirtualPlatform {
  /** Lets the time go on. */
  run(to: number): Promise<void>;
  /** `at`: the time to which the day goes on first. Of several at once only the first may have one. */
  post(topic: string, body: Uint8Array, at?: number): Promise<void>;
  /** Keeps the messages of a topic that are sent from now on, or ends it. */
  keep(topic: string, on: boolean): Promise<void>;
  /** Lets the time go on, with the kept messages sent again. */
  repeat(topic: string, slot: number, to: number): Promise<void>;
  usage(): Promise<Usage>;
  /** Uncounted. */
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** Runs statements while these tables have no triggers. Uncounted. */
  withoutTriggers(tables: readonly string[], statements: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startVirtualPlatform(
  project: { readonly root: string; readonly bundle: Bundle },
  stateDir: string,
  flushAgeSeconds: number,
  onError: (line: string) => void,
): Promise<VirtualPlatform> {
  const before = new Set(workerds());
  const platform = await startPlatform({
    ...project,
    stateDir: join(stateDir, "state"),
    port: 0,
    crons: "manual",
    vars: { FLUSH_AGE_SECONDS: String(flushAgeSeconds), BUILD_AFTER_SECONDS: "0" },
    onWorkerLog: ({ level, message }) => {
      if (level === "error" || message.includes('"error":')) onError(message);
    },
  });
  const pids = workerds().filter((pid) => !before.has(pid));
  const { db, url, apiKey } = platform;
  await db.prepare(CLOCK_TABLE).run();
  await db.prepare("INSERT INTO bench_clock VALUES (0, '')").run();
  const triggers = await db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
  for (const { name, sql } of triggers.results) {
    const told = withClockTable(String(sql));
    if (told !== undefined) await db.batch([db.prepare(`DROP TRIGGER ${String(name)}`), db.prepare(told)]);
  }

  // On a connection of its own: a runtime that builds for seconds closes those that it could not read meanwhile.
  async function call(path: string, body?: Uint8Array, headers: Readonly<Record<string, string>> = {}) {
    const init = {
      method: "POST",
      headers: { ...headers, connection: "close" },
      ...(body === undefined ? {} : { body }),
    };
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text;
  }
  const authorized = { "content-type": "application/json", authorization: `Bearer ${apiKey}` };
  return {
    run: async (to) => void (await call(`/__run?to=${to}`)),
    async post(topic, body, at) {
      const time = at === undefined ? {} : { "bench-time": String(at) };
      await call(`/v1/topics/${topic}/events`, body, { ...authorized, ...time });
    },
    keep: async (topic, on) => void (await call(`/__keep?topic=${topic}&on=${on ? 1 : 0}`)),
    repeat: async (topic, slot, to) => void (await call(`/__repeat?topic=${topic}&slot=${slot}&to=${to}`)),
    async usage() {
      const counted: unknown = JSON.parse(await call("/__counts"));
      const causes = Object.entries(Object(counted)).map(([cause, counts]) => [cause, countsIn(counts)] as const);
      return { causes: new Map(causes), cpuMs: cpuOf(pids).all };
    },
    query: async (sql) => (await db.prepare(sql).all()).results,
    async withoutTriggers(tables, statements) {
      const list = JSON.stringify(tables);
      const { results } = await db
        .prepare(
          "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN (SELECT value FROM json_each(?))",
        )
        .bind(list)
        .all();
      await db.batch([
        ...results.map(({ name }) => db.prepare(`DROP TRIGGER ${String(name)}`)),
        ...statements.map((statement) => db.prepare(statement)),
        ...results.map(({ sql }) => db.prepare(String(sql))),
      ]);
    },
    stop: () => platform.stop(),
  };
}

const countsSchema = z.object({
  puts: z.record(z.string(), z.object({ objects: z.int(), bytes: z.int() })),
  statements: z.record(z.string(), z.object({ runs: z.int(), read: z.int(), written: z.int() })),
});

function countsIn(json: unknown): Counts {
  return { operations: operationsIn(Reflect.get(Object(json), "operations")), ...countsSchema.parse(json) };
}
