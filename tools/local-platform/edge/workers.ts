/**
 * An edge: a process of workerd beside the main one that takes the requests with events. On Cloudflare the gateway runs in many
 * isolates and buffers elsewhere; locally all would share one thread, and every request would wait while a flush encodes Parquet.
 */
import { basename, dirname, join } from "node:path";
import type { WorkerOptions } from "miniflare";
import { journaledProducers, producerWorker, serviceAt } from "../queue-journal/workers.ts";
import type { RuntimeConfig } from "../worker-runtime.ts";
import { DATABASE_SCRIPT, edgeScript, LAKE_SCRIPT, STORAGE_SCRIPT } from "./scripts.ts";

export const EDGE = "sluice-edge";
export const STORAGE = "sluice-edge-storage";
const DATABASE = "sluice-edge-database";
const LAKE = "sluice-edge-lake";

/** Who answers an edge, each at a host and port, and what it shows the storage that it is one. */
export interface EdgeServices {
  readonly journal: string;
  readonly main: string;
  readonly storage: string;
  readonly secret: string;
}

/**
 * The Worker as an edge that listens on `port`. Its messages go into the same journal as the main process's; of its other bindings
 * it has the variables and the rate limit, which counts for itself, and what the route of events asks of D1 and R2.
 */
export function edgeWorkers({ worker, modules }: RuntimeConfig, services: EdgeServices, port: number): WorkerOptions[] {
  const { rootPath, modulesRoot, compatibilityDate, compatibilityFlags, bindings, ratelimits, queueProducers } = worker;
  const [entry] = modules;
  if (entry === undefined) throw new Error("the bundle has no modules");
  const storage = {
    modules: true,
    bindings: { SECRET: services.secret },
    serviceBindings: serviceAt("STORAGE", services.storage),
  } as const;
  const edgeModule = {
    type: "ESModule",
    path: join(dirname(entry.path), "edge.js"),
    contents: edgeScript(`./${basename(entry.path)}`),
  } as const;
  return [
    {
      name: EDGE,
      modules: [edgeModule, ...modules],
      rootPath,
      modulesRoot,
      compatibilityDate,
      compatibilityFlags,
      bindings,
      ratelimits,
      serviceBindings: serviceAt("MAIN", services.main),
      wrappedBindings: {
        ...journaledProducers(queueProducers),
        DB: { scriptName: DATABASE },
        LAKE: { scriptName: LAKE },
      },
      // Miniflare's own entry worker is passed by: the main process has one.
      unsafeDirectSockets: [{ host: "127.0.0.1", port }],
    },
    producerWorker(services.journal),
    { ...storage, name: DATABASE, script: DATABASE_SCRIPT },
    { ...storage, name: LAKE, script: LAKE_SCRIPT },
  ];
}

/** What an edge's storage is in the main process: the real bindings, for those that know the secret. */
export function storageWorker({ d1Databases, r2Buckets }: WorkerOptions, secret: string): WorkerOptions {
  return {
    name: STORAGE,
    modules: true,
    script: STORAGE_SCRIPT,
    compatibilityDate: "2026-07-30",
    bindings: { SECRET: secret },
    d1Databases,
    r2Buckets,
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}
