/**
 * A fuzz run against a platform of this process: send, wait until everything is stored and built, search. Its memory does not
 * grow with the number of bodies.
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { models } from "../../lakehouse/tables/compiled/models.generated.ts";
import { settle } from "../demo/settle.ts";
import { needBuilder, startBuilderProcess } from "../local-platform/builder-process.ts";
import type { Platform } from "../local-platform/platform.ts";
import { readAgain } from "../local-platform/read-again.ts";
import type { LogWatch } from "./log-watch.ts";
import { jsonPool } from "./mutate-event.ts";
import { countPromised, PromisedRows } from "./promised-rows.ts";
import { checkBronze, searchTraces, withLake } from "./search-traces.ts";
import { type SendReport, sendRequests } from "./send-requests.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly bodies: number;
  /** The index of the first request; a failure's index sends that request again. */
  readonly first: number;
  /** Requests at a time. */
  readonly concurrency: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** For what the run remembers; it exists and is the caller's to remove. */
  readonly folder: string;
  /** What saw each line that the Worker logged. */
  readonly logWatch: LogWatch;
  readonly log: (line: string) => void;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzReport extends SendReport {
  readonly accepted: number;
  readonly deadLetters: number;
  /** Of sending alone. */
  readonly seconds: number;
}

const SETTLE_MS = 120_000;

/** Needs a platform with an empty lake that nothing else writes to, and with manual crons: building while bodies come only costs time. */
export async function fuzz(platform: Platform, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, bodies, first, concurrency, now, folder, log } = options;
  const started = performance.now();
  const promised = new PromisedRows(join(folder, "promised.csv"));
  const report = await sendRequests({
    url: platform.url,
    apiKey: platform.apiKey,
    world: { seed, now, pool: jsonPool(seed) },
    first,
    bodies,
    concurrency,
    promised,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  const seconds = (performance.now() - started) / 1_000;
  promised.close();
  const { failures } = report;
  const { accepted, letters } = await countPromised(promised.path);
  const rows = accepted + letters;
  log(`sent in ${seconds.toFixed(1)} s; ${rows} rows must be in bronze`);
  const builder = needBuilder(models)
    ? startBuilderProcess({ url: platform.url, apiKey: platform.apiKey, dir: platform.state.builder })
    : undefined;
  const end = await withPlanner(platform, () => settle(platform, rows, SETTLE_MS + rows, () => {})).finally(() =>
    builder?.stop(),
  );
  if (end.bronzeRows !== rows) failures.add(null, `${rows} rows promised, ${end.bronzeRows} in bronze`);
  if (end.unbuilt > 0) failures.add(null, `${end.unbuilt} partitions are not built`);
  // A check of quality may well refuse what a fuzzer sends: that is an outcome, not a defect.
  for (const failure of end.failed) log(`not built: ${failure.slice(0, 200)}`);
  log("searching bronze, objects, databases");
  await withLake(platform, folder, async (lake) => {
    await checkBronze(lake, promised.path, failures);
    await searchTraces(platform, lake, failures);
  });
  // Lines that are still on their way.
  await delay(200);
  failures.addAll(options.logWatch.failures);
  return { ...report, accepted, deadLetters: letters, seconds };
}

async function withPlanner<Result>(platform: Platform, work: () => Promise<Result>): Promise<Result> {
  let running = true;
  async function plan(): Promise<void> {
    while (running) {
      await readAgain(() => platform.runCron("* * * * *"));
      await delay(1_000);
    }
  }
  const planner = plan();
  try {
    return await work();
  } finally {
    running = false;
    await planner;
  }
}
