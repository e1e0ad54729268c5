/** Where a reader of the lake gets catalog rows and objects from: a running platform, its bindings, or the state of a stopped one. */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { CommandProblem } from "../command-problem.ts";
import type { LocalDatabase, LocalLake } from "../local-platform/bindings.ts";
import { readAgain } from "../local-platform/read-again.ts";
import { inUse, readState, type StateFolder, tryLockState } from "../local-platform/state.ts";
import { type LockHolder, lockHolder, type ProcessLock } from "../process-lock.ts";

export type CatalogRow = Readonly<Record<string, unknown>>;

export interface LakeSource {
  /** The rows of a reading statement. Throws Error with SQLite's message. */
  query(sql: string): Promise<readonly CatalogRow[]>;
  /** A whole object; undefined when there is none. */
  read(key: string): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** How long a query waits for another that reads the stopped platform's state. */
const WAIT_FOR_READER_MS = 20_000;
const READER = "npm run query";

/**
 * The source for a state folder: the inspector of the platform that runs on it, else its storage, opened for this reader
 * alone. Throws CommandProblem: NO_STATE when there is nothing yet, IN_USE when it cannot be read just now, and as readState.
 */
export async function openSource(folder: StateFolder): Promise<LakeSource> {
  const deadline = performance.now() + WAIT_FOR_READER_MS;
  for (;;) {
    const running = inspectorOf(lockHolder(folder.lock));
    if (running !== undefined) return inspectorSource(running);
    if (!existsSync(folder.dir) || readState(folder) === undefined) throw noState(folder);
    const attempt = tryLockState(folder, READER);
    if (attempt.acquired) return storageSource(folder, attempt.lock);
    if (performance.now() > deadline) throw new CommandProblem("IN_USE", inUse(folder, attempt.holder));
    await delay(100);
  }
}

/** Of a platform of this process; closing the source leaves the platform as it is. */
export function bindingsSource(db: LocalDatabase, lake: LocalLake): LakeSource {
  return {
    async query(sql) {
      const { results } = await readAgain(async () => await db.prepare(sql).all());
      return results;
    },
    async read(key) {
      return await readAgain(async () => {
        const object = await lake.get(key);
        return object === null ? undefined : new Uint8Array(await object.arrayBuffer());
      });
    },
    close: async () => {},
  };
}

/** Of a platform in another process, by the URL of its inspector. */
export function inspectorSource(url: string): LakeSource {
  return {
    async query(sql) {
      const response = await fetch(`${url}/d1`, { method: "POST", body: JSON.stringify({ sql }) });
      const body: unknown = await response.json();
      if (isRow(body) && Array.isArray(body["results"])) return body["results"].filter(isRow);
      throw new Error(isRow(body) ? String(body["error"]) : `the inspector answered ${response.status}`);
    },
    async read(key) {
      const response = await fetch(`${url}/lake/${encodeURIComponent(key)}`);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`the inspector answered ${response.status} for ${key}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    close: async () => {},
  };
}

async function storageSource(folder: StateFolder, lock: ProcessLock): Promise<LakeSource> {
  const undo = new AsyncDisposableStack();
  undo.defer(() => lock.release());
  try {
    // Read under the lock: a reset may have come in between.
    const state = readState(folder);
    if (state === undefined) throw noState(folder);
    // Miniflare is slow to load: a query through an inspector does without.
    const { openStorage } = await import("../local-platform/worker-runtime.ts");
    const mf = await openStorage(state.bucket, state.database, folder.storage);
    undo.defer(() => mf.dispose());
    const source = bindingsSource(await mf.getD1Database("DB"), await mf.getR2Bucket("LAKE"));
    return { ...source, close: () => undo.disposeAsync() };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

function inspectorOf(holder: LockHolder | undefined): string | undefined {
  return holder?.role === "platform" ? holder.details["inspectorUrl"] : undefined;
}

function noState(folder: StateFolder): CommandProblem {
  return new CommandProblem(
    "NO_STATE",
    `There is no lake in ${folder.dir} yet. Start the platform with "npm run dev" (add "-- --simulate" for events), or try "npm run demo".`,
  );
}

function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
