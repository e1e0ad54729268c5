/** A gateway in an isolate of its own, whose memory is watched while it is attacked. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Miniflare } from "miniflare";
import type { Bundle } from "../../build/bundle.ts";
import { LOCAL_API_KEY, seedLocalKey } from "../../local-platform/local-key.ts";
import { applyMigrations, readMigrations } from "../../local-platform/migrations.ts";
import {
  GATEWAY_NAME,
  OBJECTS_NAME,
  runtimeConfig,
  startGatewayApart,
  V8_FLAGS,
} from "../../local-platform/worker-runtime.ts";
import { workerds } from "../workerd-cpu.ts";
import type { Attack } from "./attacks.ts";
import { heapBytes, type IsolateHeap, isolateHeap } from "./isolate-heap.ts";

import { openBenchRun } from "./native-build.ts";

const MB = 1_000_000;
/** V8 sizes its young generation and its collections by it, as in a Worker on Cloudflare. */
const ISOLATE_MB = 128;

export interface AttackFigures {
  /** The most above idle, in the gateway's isolate. */
  readonly mb: number;
  /** The same in the isolate of the Durable Objects. */
  readonly objectsMb: number;
  /** By how much the process grew, the runtime's own buffers included. */
  readonly residentMb: number;
  readonly seconds: number;
  /** How many of each status. */
  readonly answers: string;
}

export class MeasuredGateway {
  readonly #runtime: Miniflare;
  readonly #url: string;
  readonly #pid: number;
  readonly #gateway: IsolateHeap;
  readonly #objects: IsolateHeap;
  #idle = Number.POSITIVE_INFINITY;
  #objectsIdle = Number.POSITIVE_INFINITY;

  private constructor(runtime: Miniflare, url: string, pid: number, gateway: IsolateHeap, objects: IsolateHeap) {
    this.#runtime = runtime;
    this.#url = url;
    this.#pid = pid;
    this.#gateway = gateway;
    this.#objects = objects;
  }

  static async start(root: string, bundle: Bundle, storage: string): Promise<MeasuredGateway> {
    process.env[V8_FLAGS] = `--max-heap-size=${ISOLATE_MB} --expose-gc`;
    const before = new Set(workerds());
    const config = runtimeConfig(join(root, "wrangler.toml"), bundle, {});
    const { runtime, inspectorUrl } = await startGatewayApart(config, storage, undefined);
    delete process.env[V8_FLAGS];
    const [pid] = workerds().filter((id) => !before.has(id));
    if (pid === undefined) throw new Error("no new workerd process was found in /proc");
    const db = await runtime.getD1Database("DB");
    await applyMigrations(db, readMigrations(join(root, "sql/migrations")), {});
    await seedLocalKey(db);
    await openBenchRun(runtime);
    const url = `${(await runtime.ready).origin}/v1/topics/orders/events`;
    // The first request makes what every later one uses.
    await fetch(url, { method: "POST", headers: { authorization: `Bearer ${LOCAL_API_KEY}` } });
    const [gateway, objects] = [
      await isolateHeap(inspectorUrl, GATEWAY_NAME),
      await isolateHeap(inspectorUrl, OBJECTS_NAME),
    ];
    return new MeasuredGateway(runtime, url, pid, gateway, objects);
  }

  /** Undefined when workerd died of it. */
  async measure(attack: Attack): Promise<AttackFigures | undefined> {
    try {
      // The least that idle ever took: what an attack leaves behind counts against those after it.
      this.#idle = Math.min(this.#idle, heapBytes(await this.#gateway.idle()));
      this.#objectsIdle = Math.min(this.#objectsIdle, heapBytes(await this.#objects.idle()));
      // Sets the peak back to what is resident now (proc(5)).
      writeFileSync(`/proc/${this.#pid}/clear_refs`, "5");
      const resident = this.#residentPeak();
      const started = performance.now();
      let statuses: readonly number[] = [];
      let objectsPeak = 0;
      const peak = await this.#gateway.peakDuring(async () => {
        objectsPeak = await this.#objects.peakDuring(async () => {
          statuses = await attack.send({ url: this.#url, key: LOCAL_API_KEY });
          await delay(50);
        });
      });
      return {
        mb: (peak - this.#idle) / MB,
        objectsMb: (objectsPeak - this.#objectsIdle) / MB,
        residentMb: (this.#residentPeak() - resident) / MB,
        seconds: (performance.now() - started) / 1_000,
        answers: counted(statuses),
      };
    } catch (error) {
      if (workerds().includes(this.#pid)) throw error;
      return undefined;
    }
  }

  async stop(): Promise<void> {
    this.#gateway.close();
    this.#objects.close();
    await this.#runtime.dispose();
  }

  #residentPeak(): number {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${this.#pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) * 1_024;
  }
}

function counted(statuses: readonly number[]): string {
  return [...Map.groupBy(statuses, (status) => status)].map(([status, of]) => `${of.length} x ${status}`).join(", ");
}
