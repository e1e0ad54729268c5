/** Starts an edge (`workers.ts`) beside a running main process. */
import type { Miniflare } from "miniflare";
import { type OnLog, type RuntimeConfig, startStateless } from "../worker-runtime.ts";
import { EDGE, edgeWorkers, STORAGE } from "./workers.ts";

export interface Edge {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface EdgeOptions {
  /** With the Worker of `storageWorker` beside it. */
  readonly main: Miniflare;
  readonly secret: string;
  /** Host and port of the queue journal. */
  readonly journalAddress: string;
  /** 0 is any free one. */
  readonly port: number;
  readonly onLog: OnLog;
}

export async function startEdge(config: RuntimeConfig, options: EdgeOptions): Promise<Edge> {
  const { main, secret, journalAddress, port, onLog } = options;
  const storage = await main.unsafeGetDirectURL(STORAGE);
  const services = { journal: journalAddress, main: (await main.ready).host, storage: storage.host, secret };
  const edge = await startStateless(edgeWorkers(config, services, port), onLog);
  return { url: (await edge.unsafeGetDirectURL(EDGE)).origin, stop: () => edge.dispose() };
}
