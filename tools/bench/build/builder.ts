/** A Worker that builds what its bronze has, alone in a workerd whose CPU and memory are read from outside. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Miniflare } from "miniflare";
import type { Bundle } from "../../build/bundle.ts";
import type { LocalDatabase, LocalLake } from "../../local-platform/bindings.ts";
import { applyMigrations, readMigrations } from "../../local-platform/migrations.ts";
import {
  GATEWAY_NAME,
  GC_ON_ONE_THREAD,
  runtimeConfig,
  startInspected,
  V8_FLAGS,
  WORKER_NAME,
} from "../../local-platform/worker-runtime.ts";
import { type IsolateHeap, isolateHeap } from "../memory/isolate-heap.ts";
import { cpuOf, type WorkerdCpu, workerds } from "../workerd-cpu.ts";
import { FOLDER_BINDING, fileOfObject, isInFolder } from "./folder-bucket.ts";

/** V8 sizes its young generation and its collections by it, as in a Worker on Cloudflare: objects beyond it end the process. */
const ISOLATE_MB = 128;
const PLANNER_CRON = "* * * * *";
/** How often D1 is asked whether all is built. */
const LOOK_MS = 1_000;
/** A tick of the cron where no build ended for so long: one that waits is planned again. */
const TICK_MS = 5_000;

/** A build, or a step of one, as the Worker logs it at its end. */
export interface EndedBuild {
  readonly domain: string;
  readonly date: string;
  readonly outcome: string;
  readonly error: string | undefined;
}

export class Builder implements AsyncDisposable {
  readonly db: LocalDatabase;
  readonly lake: LocalLake;
  readonly heap: IsolateHeap;
  readonly #folder: string | undefined;
  readonly #runtime: Miniflare;
  readonly #pids: readonly number[];
  readonly #listeners: ((build: EndedBuild) => void)[];

  private constructor(
    runtime: Miniflare,
    pids: readonly number[],
    heap: IsolateHeap,
    bindings: { readonly db: LocalDatabase; readonly lake: LocalLake; readonly folder: string | undefined },
    listeners: ((build: EndedBuild) => void)[],
  ) {
    this.#runtime = runtime;
    this.#pids = pids;
    this.heap = heap;
    this.db = bindings.db;
    this.lake = bindings.lake;
    this.#folder = bindings.folder;
    this.#listeners = listeners;
  }

  /**
   * Starts it over an empty lake, and waits until it has announced its releases and built what follows from that. `folder`: has the lake's
   * large objects (`folder-bucket.ts`), of which the bundle's Worker must know.
   */
  static async start(root: string, bundle: Bundle, storage: string, folder?: string): Promise<Builder> {
    process.env[V8_FLAGS] = `--max-heap-size=${ISOLATE_MB} --expose-gc ${GC_ON_ONE_THREAD}`;
    const before = new Set(workerds());
    const listeners: ((build: EndedBuild) => void)[] = [];
    const config = runtimeConfig(join(root, "wrangler.toml"), bundle, { FLUSH_AGE_SECONDS: "1" });
    const services = folder === undefined ? {} : { [FOLDER_BINDING]: { disk: { path: folder, writable: true } } };
    const worker = { ...config.worker, serviceBindings: { ...Object(config.worker["serviceBindings"]), ...services } };
    const { runtime, inspectorUrl } = await startInspected({ ...config, worker }, storage, ({ message }) => {
      const build = endedBuild(message);
      if (build !== undefined) for (const listener of listeners) listener(build);
    });
    delete process.env[V8_FLAGS];
    const pids = workerds().filter((id) => !before.has(id));
    const [db, lake] = [await runtime.getD1Database("DB", WORKER_NAME), await runtime.getR2Bucket("LAKE", WORKER_NAME)];
    await applyMigrations(db, readMigrations(join(root, "sql/migrations")), {});
    const builder = new Builder(
      runtime,
      pids,
      await isolateHeap(inspectorUrl, GATEWAY_NAME),
      { db, lake, folder },
      listeners,
    );
    await builder.tick();
    while ((await builder.count(ANNOUNCED)) === 0) await delay(LOOK_MS);
    await builder.built(() => {});
    return builder;
  }

  /** Puts an object as the Worker finds it. */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    if (this.#folder !== undefined && isInFolder(key)) await writeFile(join(this.#folder, fileOfObject(key)), bytes);
    else await this.lake.put(key, bytes);
  }

  /** Milliseconds of CPU so far: the build's, and those of the local D1, R2 and queues, which live in the same process. */
  cpu(): WorkerdCpu {
    return cpuOf(this.#pids);
  }

  /** Calls `listener` at the end of each build and step, until the returned function is called. */
  onBuild(listener: (build: EndedBuild) => void): () => void {
    this.#listeners.push(listener);
    return () => void this.#listeners.splice(this.#listeners.indexOf(listener), 1);
  }

  async tick(): Promise<void> {
    const { outcome } = await this.#whileAlive(async () => {
      const worker = await this.#runtime.getWorker(WORKER_NAME);
      return worker.scheduled({ cron: PLANNER_CRON, scheduledTime: new Date() });
    });
    if (outcome !== "ok") throw new Error(`the cron ended with ${outcome}`);
  }

  /** Plans until nothing is left to build but what the data keeps from being built. `onLook` is called every second. */
  async built(onLook: () => unknown): Promise<void> {
    let active = performance.now();
    const quiet = this.onBuild(() => {
      active = performance.now();
    });
    await this.tick();
    while ((await this.count(UNBUILT)) > 0) {
      await onLook();
      await delay(LOOK_MS);
      if (performance.now() - active < TICK_MS) continue;
      active = performance.now();
      await this.tick();
    }
    quiet();
  }

  /** The `n` of a query. */
  async count(query: string): Promise<number> {
    return Number(await this.#whileAlive(() => this.db.prepare(query).first("n")));
  }

  /** Again where it failed: a runtime that builds for seconds closes the connections that it could not read meanwhile. */
  async #whileAlive<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!workerds().some((pid) => this.#pids.includes(pid))) throw new Error("workerd died", { cause: error });
      await delay(LOOK_MS);
      return this.#whileAlive(work);
    }
  }

  /** What the Worker answers at a path, as JSON. */
  async asked(path: string): Promise<unknown> {
    const response = await this.#whileAlive(() =>
      this.#runtime.dispatchFetch(`http://builder${path}`, { method: "POST" }),
    );
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return response.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heap.close();
    await this.#runtime.dispose();
  }
}

const ANNOUNCED = "SELECT count(*) AS n FROM bronze_files WHERE topic = 'schema_changes'";
const UNBUILT = `SELECT count(*) AS n FROM partition_inputs i LEFT JOIN partition_meta m USING (domain, partition_date)
  LEFT JOIN partition_leases l USING (domain, partition_date)
  WHERE (i.version <> i.built_version OR m.status <> 'DONE') AND coalesce(m.status || l.failure_class, '') <> 'FAILEDdata'`;

function endedBuild(message: string): EndedBuild | undefined {
  if (!message.startsWith('{"event":"build",')) return undefined;
  const { domain, date, outcome, error }: Record<string, unknown> = JSON.parse(message);
  return {
    domain: String(domain),
    date: String(date),
    outcome: String(outcome),
    error: error === undefined ? undefined : String(error),
  };
}
