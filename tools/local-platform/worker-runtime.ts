/** The one place that speaks Miniflare's dialect: what the bundle, wrangler.toml and the state folder are to it. */
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { Log, LogLevel, Miniflare, type WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import type { Bundle } from "../build/bundle.ts";
import { journaledWorkers, type QueueWaits } from "./queue-journal/workers.ts";

/** The variable from which Miniflare takes flags of V8 for the workerd that it starts. */
export const V8_FLAGS = "MINIFLARE_WORKERD_V8_FLAGS";

/**
 * The thread that runs the Workers collects their garbage alone. On two cores V8 has one helper thread. It has been seen to compile, need
 * memory and wait for a collection by the main thread, while the main thread waited for the helper to sweep: workerd then took a whole
 * core and answered nothing, for good.
 */
export const GC_ON_ONE_THREAD = "--single-threaded-gc";

export interface WorkerLog {
  /** `log`, `info`, `warn`, `error`, `debug`, `trace`. */
  readonly level: string;
  readonly message: string;
}

/** Who is given what Workers log; undefined if nobody is: then it is not parsed. */
export type OnLog = ((log: WorkerLog) => void) | undefined;

export interface RuntimeConfig {
  readonly worker: WorkerOptions;
  /** The bundle's, which are among the Worker's options. */
  readonly modules: readonly (Bundle["modules"][number] & { readonly contents?: Uint8Array<ArrayBuffer> })[];
  /** Names that Miniflare files the storage of LAKE and DB under. */
  readonly bucket: string;
  readonly database: string;
  readonly crons: readonly string[];
  readonly waits: QueueWaits | undefined;
}

/** Names the Durable Objects' storage: with another name the buffers of existing state would be lost. */
export const WORKER_NAME = "sluice";

/** The top level of wrangler.toml with the bundle's code. `vars` go over the variables written there, `waits` over its queues'. */
export function runtimeConfig(
  wranglerToml: string,
  bundle: Pick<Bundle, "outdir" | "modules">,
  vars: Readonly<Record<string, string>>,
  waits?: QueueWaits,
): RuntimeConfig {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(wranglerToml);
  // The bundle names its modules one by one, so there are no rules to find them by.
  const { modulesRules: _, ...options } = workerOptions;
  const crons = options["cronTriggers"];
  const modules = bundle.modules.map(({ type, path }) =>
    type === "CompiledWasm" ? { type, path, contents: withoutEntries(readFileSync(path)) } : { type, path },
  );
  return {
    worker: {
      ...options,
      name: WORKER_NAME,
      rootPath: bundle.outdir,
      modulesRoot: bundle.outdir,
      modules,
      bindings: { ...recordOf(options["bindings"]), ...vars },
      queueConsumers: consumersOf(options["queueConsumers"], waits),
    },
    modules,
    bucket: bindingId(options["r2Buckets"], "LAKE"),
    database: bindingId(options["d1Databases"], "DB"),
    waits,
    crons: Array.isArray(crons) ? crons.filter((cron) => typeof cron === "string") : [],
  };
}

/**
 * Starts the Worker on 127.0.0.1, and others `beside` it, and waits until it answers; 0 is any free port. Without the address of a
 * journal a stop loses what the queues hold.
 */
export async function startRuntime(
  config: RuntimeConfig,
  journalAddress: string | null,
  storage: string,
  port: number,
  onLog: OnLog,
  beside: readonly WorkerOptions[] = [],
): Promise<Miniflare> {
  const { worker, waits } = config;
  const workers = journalAddress === null ? [worker] : journaledWorkers(worker, WORKER_NAME, journalAddress, waits);
  return startMiniflare({ workers: [...beside, ...workers], storage, port, onLog });
}

/** Starts Workers that keep nothing. */
export async function startStateless(workers: WorkerOptions[], onLog: OnLog): Promise<Miniflare> {
  return startMiniflare({ workers, port: 0, onLog });
}

/** Names the Worker whose isolate has the Durable Objects of `startGatewayApart`. */
export const OBJECTS_NAME = "sluice-objects";

/**
 * Starts the Worker for a measurement of its requests: its Durable Objects live in the isolate of a second copy, and its queues have no
 * consumer, so that Miniflare drops what is sent. Both isolates answer V8's inspector, at a port of 127.0.0.1 that `inspectorUrl` names.
 */
export async function startGatewayApart(
  { worker }: RuntimeConfig,
  storage: string,
  onLog: OnLog,
): Promise<{ readonly runtime: Miniflare; readonly inspectorUrl: URL }> {
  const { queueConsumers: _, ...producing } = worker;
  const objects = Object.entries(recordOf(worker.durableObjects)).map(([binding, object]) => [
    binding,
    { ...recordOf(object), scriptName: OBJECTS_NAME },
  ]);
  const workers = [
    { ...producing, durableObjects: Object.fromEntries(objects) },
    { ...producing, name: OBJECTS_NAME },
  ];
  const runtime = await startMiniflare({ workers, storage, port: 0, onLog, inspectorPort: 0 });
  return { runtime, inspectorUrl: await runtime.getInspectorURL() };
}

/** Starts the Worker alone, to measure what its isolate takes: V8's inspector answers at a port of 127.0.0.1 that `inspectorUrl` names. */
export async function startInspected(
  { worker }: RuntimeConfig,
  storage: string,
  onLog: OnLog,
): Promise<{ readonly runtime: Miniflare; readonly inspectorUrl: URL }> {
  const runtime = await startMiniflare({ workers: [worker], storage, port: 0, onLog, inspectorPort: 0 });
  return { runtime, inspectorUrl: await runtime.getInspectorURL() };
}

/** The Worker's name in the inspector's addresses. */
export const GATEWAY_NAME = WORKER_NAME;

/** Opens the storage without the project's Worker: only LAKE and DB. */
export async function openStorage(bucket: string, database: string, storage: string): Promise<Miniflare> {
  const script = "export default { fetch() { return new Response(null, { status: 404 }); } };";
  const worker: WorkerOptions = { name: WORKER_NAME, modules: true, script, compatibilityDate: "2026-07-30" };
  const bindings = { r2Buckets: { LAKE: { id: bucket } }, d1Databases: { DB: { id: database } } };
  return startMiniflare({ workers: [{ ...worker, ...bindings }], storage, port: 0, onLog: undefined });
}

async function startMiniflare(options: {
  readonly workers: WorkerOptions[];
  readonly storage?: string;
  readonly port: number;
  readonly onLog: OnLog;
  readonly inspectorPort?: number;
}): Promise<Miniflare> {
  const { workers, storage, port, onLog, inspectorPort } = options;
  process.env[V8_FLAGS] ??= GC_ON_ONE_THREAD;
  const miniflare = new Miniflare({
    workers,
    host: "127.0.0.1",
    port,
    ...(storage === undefined ? {} : { defaultPersistRoot: storage }),
    ...(inspectorPort === undefined ? {} : { inspectorPort }),
    // The default asks the network for a sample of request metadata.
    cf: false,
    log: new Log(LogLevel.ERROR),
    ...(onLog === undefined
      ? { handleRuntimeStdio: discardOutput }
      : { handleStructuredLogs: ({ level, message }: WorkerLog) => onLog({ level, message }) }),
  });
  try {
    await miniflare.ready;
    return miniflare;
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/**
 * Bytes that list no entries: Miniflare searches its configuration for cycles, which took a second where it went through each byte
 * of a module.
 */
function withoutEntries(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  const hidden = Object.entries({ buffer, byteOffset, byteLength }).map(([name, value]) => [name, { value }]);
  return Object.create(Uint8Array.prototype, Object.fromEntries(hidden));
}

/** Read all the same: a runtime whose output nobody reads comes to stand still. */
function discardOutput(...outputs: readonly Readable[]): void {
  for (const output of outputs) output.resume();
}

function bindingId(bindings: unknown, name: string): string {
  const binding = recordOf(bindings)[name];
  const id = typeof binding === "string" ? binding : recordOf(binding)["id"];
  if (typeof id !== "string") throw new Error(`wrangler.toml has no binding ${name} at its top level`);
  return id;
}

function consumersOf(consumers: unknown, waits: QueueWaits | undefined): WorkerOptions["queueConsumers"] {
  const settings = Object.entries(recordOf(consumers));
  const maxBatchTimeout = waits === undefined ? {} : { maxBatchTimeout: waits.batchSeconds };
  return Object.fromEntries(settings.map(([queue, each]) => [queue, { ...recordOf(each), ...maxBatchTimeout }]));
}

function recordOf(value: unknown): Record<string, never> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
