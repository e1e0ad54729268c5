/** A fuzz run against a platform of this process: send, wait until everything is stored and built, search. */
import { setTimeout as delay } from "node:timers/promises";
import { settle } from "../demo/settle.ts";
import type { Platform } from "../local-platform/platform.ts";
import { jsonPool } from "./mutate-event.ts";
import { checkBronze, searchTraces } from "./search-traces.ts";
import { type FuzzFailure, type SendReport, sendRequests } from "./send-requests.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly bodies: number;
  /** The index of the first request; a failure's index sends that request again. */
  readonly first: number;
  /** Requests at a time. */
  readonly concurrency: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What the Worker logs, and what of it is an error; both grow during the run. */
  readonly logs: readonly string[];
  readonly errors: readonly string[];
  readonly log: (line: string) => void;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzReport extends Omit<SendReport, "failures"> {
  readonly failures: readonly FuzzFailure[];
  readonly accepted: number;
  readonly deadLetters: number;
  /** Of sending alone. */
  readonly seconds: number;
}

const SETTLE_MS = 120_000;

/** Needs a platform with an empty lake that nothing else writes to, and with manual crons: building while bodies come only costs time. */
export async function fuzz(platform: Platform, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, bodies, first, concurrency, now, log } = options;
  const started = performance.now();
  const report = await sendRequests({
    url: platform.url,
    apiKey: platform.apiKey,
    world: { seed, now, pool: jsonPool(seed) },
    first,
    bodies,
    concurrency,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  const seconds = (performance.now() - started) / 1_000;
  const { promised, failures } = report;
  const rows = promised.acceptedTotal + promised.letters.size;
  log(`sent in ${seconds.toFixed(1)} s; ${rows} rows must be in bronze`);
  const end = await withPlanner(platform, () => settle(platform, rows, SETTLE_MS + rows, () => {}));
  if (end.bronzeRows !== rows)
    failures.push({ index: null, what: `${rows} rows promised, ${end.bronzeRows} in bronze` });
  if (end.unbuilt > 0) failures.push({ index: null, what: `${end.unbuilt} partitions are not built` });
  // A check of quality may well refuse what a fuzzer sends: that is an outcome, not a defect.
  for (const failure of end.failed) log(`not built: ${failure.slice(0, 200)}`);
  log("searching bronze, objects, databases, log");
  failures.push(...(await checkBronze(platform, promised)));
  await delay(200);
  failures.push(...(await searchTraces(platform, options.logs)));
  for (const error of options.errors)
    failures.push({ index: null, what: `the Worker logged an error: ${error.slice(0, 400)}` });
  return { ...report, accepted: promised.acceptedTotal, deadLetters: promised.letters.size, seconds };
}

async function withPlanner<Result>(platform: Platform, work: () => Promise<Result>): Promise<Result> {
  let running = true;
  async function plan(): Promise<void> {
    while (running) {
      await platform.runCron("* * * * *");
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
