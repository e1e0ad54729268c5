/** The builder: asks for work, does it, and asks again. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Builder, LeaseAnswer, WorkOrder } from "../lakehouse/builds/native/wire.ts";
import { build } from "./build.ts";
import { recordBuild } from "./build-event.ts";
import { ownDuckDb } from "./duckdb/version.ts";
import { failureOf } from "./failure.ts";
import { type InputCache, openInputCache } from "./inputs/cache.ts";
import { keepLease } from "./lease-keeper.ts";
import type { BuilderOptions } from "./options.ts";
import { createPlatformClient, type PlatformClient } from "./platform/client.ts";
import { demandDuckDb, OtherVersionError } from "./platform/protocol.ts";
import { RefusedError } from "./platform/refusal.ts";
import type { BuildEvent, BuilderReport, BuildPhase } from "./report.ts";
import { LeaseLostError, pause, ReleasedError } from "./stopped.ts";

/** A builder that is to end soon waits no longer for a platform that does not answer. */
const ONCE_GIVES_UP_AFTER_MS = 60_000;
/** Builders that were started together do not ask together. */
const SCATTER = 0.2;

interface Running {
  readonly options: BuilderOptions;
  readonly builder: Builder;
  readonly client: PlatformClient;
  readonly cache: InputCache;
  readonly report: BuilderReport;
  /** Aborted when the builder is to end: a lease that it holds goes back. */
  readonly stop: AbortSignal;
}

/**
 * Works until `stop` is aborted, or with `once` until nothing waits. Throws OtherVersionError, and RefusedError where the platform
 * refuses the key; with `once` UnreachableError, too.
 */
export async function runBuilder(given: BuilderOptions, report: BuilderReport, stop: AbortSignal): Promise<void> {
  mkdirSync(given.dir, { recursive: true, mode: 0o700 });
  // DuckDB compares real paths with the folders that it may read.
  const options = { ...given, dir: realpathSync(given.dir) };
  for (const name of readdirSync(options.dir))
    if (name.startsWith("build-")) rmSync(join(options.dir, name), { recursive: true, force: true });
  const duckdb = await ownDuckDb();
  const running: Running = {
    ...{ options, report, stop },
    builder: {
      ...{ id: randomUUID(), name: options.name, duckdb },
      ...{ memory_bytes: options.memoryBytes, threads: options.threads },
    },
    client: createPlatformClient(options),
    cache: openInputCache(join(options.dir, "inputs"), options.url, options.cacheBytes),
  };
  while (!stop.aborted) {
    const answer = await askForWork(running);
    if (answer === undefined) return;
    if (answer.work !== null) report.built(await carryOut(running, answer.work));
    else if (options.once) return;
    else await idle(running, answer.poll_after_ms);
  }
}

/** Undefined: stopped meanwhile. */
async function askForWork({ client, builder, options, report, stop }: Running): Promise<LeaseAnswer | undefined> {
  let noted = false;
  try {
    return await client.lease(builder, {
      giveUpAfterMs: options.once ? ONCE_GIVES_UP_AFTER_MS : Number.POSITIVE_INFINITY,
      signal: stop,
      onFailure(message) {
        if (!noted) report.note(`${options.url} gives no work (${message}); it is asked again`);
        noted = true;
      },
    });
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}

async function idle({ report, stop }: Running, pollAfterMs: number): Promise<void> {
  report.idle(pollAfterMs);
  await pause(pollAfterMs * (1 + SCATTER * Math.random()), stop).catch((error: unknown) => {
    if (!stop.aborted) throw error;
  });
}

/** Builds, and tells the platform how it ended where it does not know. Throws OtherVersionError, and RefusedError for a key that is refused. */
async function carryOut(running: Running, order: WorkOrder): Promise<BuildEvent> {
  const { client, report, stop, builder, options, cache } = running;
  const recorder = recordBuild(order);
  let standing: { phase: BuildPhase; done: number | null } = { phase: "fetch", done: null };
  const keeper = keepLease(
    order.renew_every_ms,
    () => standing,
    (now, signal) => client.renew(order.run, now, signal),
  );
  const stopped = AbortSignal.any([keeper.lost, stop]);
  try {
    demandDuckDb(order.duckdb, builder.duckdb);
    const { outcome, message } = await build(
      {
        ...{ options, client, cache, signal: stopped },
        onProgress(phase, done) {
          standing = { phase, done };
          recorder.phase(phase);
          report.progress(order, phase, done);
        },
        onFigures: recorder.figures,
      },
      order,
    );
    return recorder.end(outcome, message);
  } catch (error) {
    if (error instanceof LeaseLostError) return recorder.end("lost", error.message);
    if (isRefusedKey(error)) {
      report.built(recorder.end("failed", error.message));
      throw error;
    }
    if (stop.aborted || error instanceof ReleasedError) {
      await tell(running, order, "released", "the builder was told to stop");
      return recorder.end("released", null);
    }
    if (error instanceof OtherVersionError) {
      await tell(running, order, "released", error.message);
      throw error;
    }
    const failure = failureOf(error, options);
    // A file that is damaged on this disk would fail every build that reads it.
    if (failure.damagedFiles) cache.forget(order.inputs.flatMap((input) => input.files));
    await tell(running, order, failure.class, failure.message);
    return recorder.end("failed", failure.message);
  } finally {
    keeper.stop();
  }
}

/** A platform that cannot be told learns it by the lease's end. */
async function tell(
  { client, report }: Running,
  { run }: WorkOrder,
  failure: "released" | "data" | "system",
  message: string,
): Promise<void> {
  try {
    await client.fail(run, { class: failure, message: message.slice(0, 2_000) }, new AbortController().signal);
  } catch (error) {
    if (!(error instanceof LeaseLostError))
      report.note(
        `the platform could not be told (${error instanceof Error ? error.message : String(error)}); the lease ends by itself`,
      );
  }
}

function isRefusedKey(error: unknown): error is RefusedError {
  return error instanceof RefusedError && (error.status === 401 || error.status === 403);
}
