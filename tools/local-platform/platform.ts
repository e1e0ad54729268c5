/** The whole platform on this machine: the real bundle in Miniflare with its state in a folder, and crons that fire. */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Miniflare } from "miniflare";
import type { Bundle } from "../build/bundle.ts";
import { CommandProblem } from "../command-problem.ts";
import type { ProcessLock } from "../process-lock.ts";
import type { LocalDatabase, LocalLake } from "./bindings.ts";
import { type CronLoop, cronSchedule, everySeconds, startCronLoop } from "./crons.ts";
import { type DrainOptions, type DrainResult, readMessageCounts, waitForDrain } from "./drain.ts";
import { startEdge } from "./edge/start.ts";
import { storageWorker } from "./edge/workers.ts";
import { inspectedPlatform } from "./inspected-platform.ts";
import { type Inspector, startInspector } from "./inspector.ts";
import { LOCAL_API_KEY, seedLocalKey } from "./local-key.ts";
import { applyMigrations, readMigrations } from "./migrations.ts";
import { isPortFree } from "./ports.ts";
import { startJournal } from "./queue-journal/start.ts";
import { consumerUrl, type QueueWaits } from "./queue-journal/workers.ts";
import { emptyState, lockState, readState, type StateFolder, stateFolder, writeState } from "./state.ts";
import { type RuntimeConfig, runtimeConfig, startRuntime, WORKER_NAME, type WorkerLog } from "./worker-runtime.ts";

export interface PlatformOptions {
  /** The project's folder: wrangler.toml and sql/migrations are read there. */
  readonly root: string;
  readonly bundle: Pick<Bundle, "outdir" | "modules">;
  /** Relative to `root`; `.sluice` if not given. */
  readonly stateDir?: string;
  /** 8787 if not given; 0 is any free one. */
  readonly port?: number;
  /** The port after `port` if not given; another one when that is taken. */
  readonly inspectorPort?: number;
  /** Lines for whoever started the platform: a cron that failed, what was left at the end. */
  readonly log?: (line: string) => void;
  /** What the Worker logs. */
  readonly onWorkerLog?: (log: WorkerLog) => void;
  /** `manual`: only `runCron` fires them. */
  readonly crons?: "schedule" | "manual";
  /** The planner's cron (`* * * * *`) fires this often instead of every 60 s, so that gold follows soon; 5 if not given. */
  readonly planEverySeconds?: number;
  /** Over wrangler.toml's. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Over what wrangler.toml and the consumers let queues wait. */
  readonly queueWaits?: QueueWaits;
  /**
   * Whether requests with events are taken by a process of workerd of their own (`edge/`). It costs memory, and gains where
   * the machine has two cores or more. False if not given.
   */
  readonly edge?: boolean;
  /** Starts from nothing: what the folder holds is removed first. */
  readonly fresh?: boolean;
}

export interface Platform {
  /** Where the gateway listens, without a slash at the end. */
  readonly url: string;
  readonly inspectorUrl: string;
  readonly apiKey: string;
  readonly state: StateFolder;
  readonly mf: Miniflare;
  readonly db: LocalDatabase;
  readonly lake: LocalLake;
  /** Fires a cron now, or as if it were another time, and waits for its end. Throws when the Worker threw. */
  runCron(cron: string, scheduledTime?: Date): Promise<void>;
  /** Stops the crons, waits until the queues are empty or the time is up, and stops. */
  drain(options?: DrainOptions): Promise<DrainResult>;
  /** Stops at once; messages in the queues are delivered after the next start. Doing so twice does nothing. */
  stop(): Promise<void>;
}

const PLANNER_CRON = "* * * * *";
const DRAIN_TIMEOUT_MS = 30_000;

/**
 * Starts a platform and resolves when it answers. Throws CommandProblem for what the caller can mend: IN_USE, PORT_TAKEN,
 * STATE_LAYOUT, NOT_A_STATE_FOLDER, MIGRATION_CHANGED, MIGRATION_FAILED; nothing is left running then.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const root = resolve(options.root);
  const port = options.port ?? 8787;
  const folder = stateFolder(resolve(root, options.stateDir ?? ".sluice"));
  const config = runtimeConfig(join(root, "wrangler.toml"), options.bundle, options.vars ?? {}, options.queueWaits);
  const undo = new AsyncDisposableStack();
  try {
    const lock = lockState(folder, "platform");
    undo.defer(() => lock.release());
    if (options.fresh === true) emptyState(folder);
    await demandFreePort(port);
    const started = await startWithState(root, options, folder, config, port, undo);
    return await present(options, folder, config, started, lock, undo);
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

async function demandFreePort(port: number): Promise<void> {
  if (port === 0 || (await isPortFree(port))) return;
  throw new CommandProblem(
    "PORT_TAKEN",
    `Port ${port} is taken by another program. Stop that one, or choose another port with --port (for example --port ${port + 10}). If a platform was killed here (kill -9, out of memory), the program is its workerd, which still has the state open: end that first (pkill workerd).`,
  );
}

interface Started {
  /** The main process. */
  readonly mf: Miniflare;
  /** Where the gateway listens: the edge, if there is one. */
  readonly url: string;
}

async function startWithState(
  root: string,
  { edge: hasEdge = false, onWorkerLog: onLog }: PlatformOptions,
  folder: StateFolder,
  config: RuntimeConfig,
  port: number,
  undo: AsyncDisposableStack,
): Promise<Started> {
  const { bucket, database } = config;
  const before = readState(folder);
  const state = { layout: 1, bucket, database, migrations: before?.migrations ?? {} };
  if (before === undefined) writeState(folder, state);
  mkdirSync(folder.storage, { recursive: true });
  const journal = await startJournal(folder.journal);
  undo.defer(() => journal.close());
  const secret = randomUUID();
  const beside = hasEdge ? [storageWorker(config.worker, secret)] : [];
  const mf = await startRuntime(config, journal.address, folder.storage, hasEdge ? 0 : port, onLog, beside);
  undo.defer(() => mf.dispose());
  const db = await mf.getD1Database("DB", WORKER_NAME);
  const migrations = await applyMigrations(db, readMigrations(join(root, "sql/migrations")), state.migrations);
  writeState(folder, { ...state, migrations });
  await seedLocalKey(db);
  journal.dispatchTo(await consumerUrl(mf));
  if (!hasEdge) return { mf, url: (await mf.ready).origin };
  const edge = await startEdge(config, { main: mf, secret, journalAddress: journal.address, port, onLog });
  undo.defer(() => edge.stop());
  return { mf, url: edge.url };
}

async function present(
  options: PlatformOptions,
  folder: StateFolder,
  config: RuntimeConfig,
  { mf, url }: Started,
  lock: ProcessLock,
  undo: AsyncDisposableStack,
): Promise<Platform> {
  const log = options.log ?? (() => {});
  const [db, lake] = [await mf.getD1Database("DB", WORKER_NAME), await mf.getR2Bucket("LAKE", WORKER_NAME)];
  const inspector = await inspect(options, db, lake);
  undo.defer(() => inspector.close());
  lock.publish({ url, inspectorUrl: inspector.url });

  async function runCron(cron: string, scheduledTime = new Date()): Promise<void> {
    const worker = await mf.getWorker(WORKER_NAME);
    const { outcome } = await worker.scheduled({ cron, scheduledTime });
    if (outcome !== "ok") throw new Error(`cron "${cron}" ended with ${outcome}`);
  }

  const loops = options.crons === "manual" ? [] : startCrons(config.crons, options.planEverySeconds ?? 5, runCron, log);
  const stopCrons = async () => void (await Promise.all(loops.map((loop) => loop.stop())));
  undo.defer(stopCrons);

  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= undo.disposeAsync();
    return stopping;
  };
  return {
    url,
    inspectorUrl: inspector.url,
    apiKey: LOCAL_API_KEY,
    state: folder,
    mf,
    db,
    lake,
    runCron,
    async drain({ timeoutMs = DRAIN_TIMEOUT_MS } = {}) {
      await stopCrons();
      const result = await waitForDrain(
        () => readMessageCounts(url),
        timeoutMs,
        delay,
        () => performance.now(),
      );
      await stop();
      return result;
    },
    stop,
  };
}

async function inspect(options: PlatformOptions, db: LocalDatabase, lake: LocalLake): Promise<Inspector> {
  const inspected = inspectedPlatform(db, lake);
  const { port = 8787, inspectorPort } = options;
  const wanted = inspectorPort ?? (port === 0 ? 0 : port + 1);
  if (wanted === 0 || (await isPortFree(wanted))) return startInspector(inspected, wanted);
  if (inspectorPort !== undefined) await demandFreePort(inspectorPort);
  // Tools find the inspector through the lock: any port will do.
  return startInspector(inspected, 0);
}

function startCrons(
  crons: readonly string[],
  planEverySeconds: number,
  runCron: (cron: string) => Promise<void>,
  log: (line: string) => void,
): CronLoop[] {
  return crons.map((cron) => {
    const schedule = cron === PLANNER_CRON ? everySeconds(planEverySeconds) : cronSchedule(cron);
    return startCronLoop(schedule, () =>
      runCron(cron).catch((error: unknown) => log(error instanceof Error ? error.message : String(error))),
    );
  });
}
