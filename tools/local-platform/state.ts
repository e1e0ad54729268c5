/** The folder where a local platform keeps everything: what is in it, and whether this version understands it. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { CommandProblem } from "../command-problem.ts";
import { type LockAttempt, type LockHolder, type ProcessLock, tryLock } from "../process-lock.ts";

/** Raised when a newer version can no longer read what an older one stored (buffers, file layout). */
export const STATE_LAYOUT = 1;

export interface StateFolder {
  readonly dir: string;
  /** Miniflare's R2, D1 and Durable Objects. */
  readonly storage: string;
  /** Messages that no consumer has acknowledged. */
  readonly journal: string;
  /** Copies of the lake's files for readers; may be removed at any time. */
  readonly cache: string;
  /** The native builder's: inputs that it fetched, and what it is making. May be removed while none runs. */
  readonly builder: string;
  readonly lock: string;
  /** What the Worker logs, of the latest run. */
  readonly log: string;
}

/** The content of state.json: enough to open the storage without the project's configuration. */
export interface StateFile {
  readonly layout: number;
  /** Names that Miniflare files the storage under. */
  readonly bucket: string;
  readonly database: string;
  /** SHA-256, hex, of each migration that was applied, by its name. */
  readonly migrations: Readonly<Record<string, string>>;
}

const STATE_FILE = "state.json";
const LOCK_FILE = "in-use.json";
/** How far simulators have read their databases: kept here, and removed with the rest, but it may come before the platform. */
export const WATERMARKS = "watermarks";

export function stateFolder(dir: string): StateFolder {
  return {
    dir,
    storage: join(dir, `state-v${STATE_LAYOUT}`),
    journal: join(dir, "queue-journal"),
    cache: join(dir, "cache"),
    builder: join(dir, "builder"),
    lock: join(dir, LOCK_FILE),
    log: join(dir, "worker.log"),
  };
}

/**
 * What state.json says; undefined for a folder that is absent or empty. Throws CommandProblem: NOT_A_STATE_FOLDER when
 * something else is kept there, STATE_LAYOUT when another version wrote it.
 */
export function readState(folder: StateFolder): StateFile | undefined {
  const text = stateText(folder);
  if (text === undefined) return undefined;
  const layout = layoutOf(text);
  if (layout !== STATE_LAYOUT) {
    const age = layout !== undefined && layout > STATE_LAYOUT ? "a newer" : "another";
    throw new CommandProblem(
      "STATE_LAYOUT",
      `${folder.dir} was written by ${age} version of Sluice (layout ${layout ?? "unknown"}, this version has ${STATE_LAYOUT}).\n` +
        `Remove it with "npm run reset -- --state ${folder.dir}", or keep it and choose another folder with --state.`,
    );
  }
  const state = parseState(text);
  if (state !== undefined) return state;
  throw new CommandProblem(
    "STATE_LAYOUT",
    `${join(folder.dir, STATE_FILE)} is damaged. Remove the folder with "npm run reset -- --state ${folder.dir}".`,
  );
}

/** Writes state.json, the folder included. */
export function writeState(folder: StateFolder, state: StateFile): void {
  mkdirSync(folder.storage, { recursive: true });
  const draft = join(folder.dir, `${STATE_FILE}.draft`);
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(draft, join(folder.dir, STATE_FILE));
}

/**
 * Takes the folder for this process, and lets no other user read it. Throws CommandProblem: NOT_A_STATE_FOLDER before a strange
 * folder is written to, IN_USE, with who uses it and what to do, when a living process has it.
 */
export function lockState(folder: StateFolder, role: string): ProcessLock {
  const attempt = tryLockState(folder, role);
  if (attempt.acquired) return attempt.lock;
  throw new CommandProblem("IN_USE", inUse(folder, attempt.holder));
}

/** As `lockState`, but a lock that another has is an answer. */
export function tryLockState(folder: StateFolder, role: string): LockAttempt {
  stateText(folder);
  keepPrivate(folder.dir);
  return tryLock(folder.lock, role);
}

/** Permissions of a state folder: it holds events before and after masking, and keys' hashes. */
const OWNER_ONLY = 0o700;

/**
 * Makes the folder if need be, readable by its owner alone; so is every file that this process writes from now on, and the workerd
 * that it starts. Throws CommandProblem NOT_A_STATE_FOLDER when the folder belongs to another user.
 */
function keepPrivate(dir: string): void {
  // A worker thread has its process's mask and cannot set it.
  if (isMainThread) process.umask(0o077);
  mkdirSync(dir, { recursive: true, mode: OWNER_ONLY });
  if ((statSync(dir).mode & 0o777) === OWNER_ONLY) return;
  try {
    chmodSync(dir, OWNER_ONLY);
  } catch (cause) {
    const remedy = "Choose another folder with --state.";
    throw new CommandProblem("NOT_A_STATE_FOLDER", `${dir} belongs to another user. ${remedy}`, { cause });
  }
}

/** Removes everything, the folder too, and says whether there was something. Throws CommandProblem: IN_USE, NOT_A_STATE_FOLDER. */
export function removeState(folder: StateFolder): boolean {
  const existed = stateText(folder) !== undefined;
  // An absent folder stays absent, whatever happens in between: making it just to lock it would be odd.
  if (!existsSync(folder.dir)) return false;
  const lock = lockState(folder, "reset");
  try {
    emptyState(folder);
  } finally {
    lock.release();
  }
  rmSync(folder.dir, { recursive: true, force: true });
  return existed;
}

/** Removes all but the lock, which the caller holds. */
export function emptyState(folder: StateFolder): void {
  if (!existsSync(folder.dir)) return;
  // state.json goes last: a removal that was cut short can be repeated.
  const names = readdirSync(folder.dir).filter((name) => !isLock(name) && name !== STATE_FILE);
  for (const name of [...names, STATE_FILE]) rmSync(join(folder.dir, name), { recursive: true, force: true });
}

export function inUse(folder: StateFolder, holder: LockHolder): string {
  const { url } = holder.details;
  const stop = `stop it (Ctrl-C in its terminal, or "kill ${holder.pid}")`;
  if (holder.role !== "platform") {
    return `${folder.dir} is in use by "${holder.role}" (process ${holder.pid}): wait until it is done, or ${stop}.`;
  }
  const where = url === undefined ? "and is just starting" : `on ${url}`;
  return (
    `A platform already runs on ${folder.dir}: process ${holder.pid} ${where}.\n` +
    `Use that one, ${stop}, or start a second one beside it with --state OTHER_FOLDER --port OTHER_PORT.\n` +
    `If process ${holder.pid} is not Sluice, remove ${folder.lock}.`
  );
}

/** The text of state.json; undefined when the folder is absent, empty, or holds a lock only. */
function stateText(folder: StateFolder): string | undefined {
  if (!existsSync(folder.dir)) return undefined;
  const names = readdirSync(folder.dir);
  if (names.includes(STATE_FILE)) return readFileSync(join(folder.dir, STATE_FILE), "utf8");
  // A first start that was killed leaves its lock, nothing else: state.json is written before the storage.
  const strange = names.find(
    (name) =>
      !isLock(name) && name !== `${STATE_FILE}.draft` && name !== `state-v${STATE_LAYOUT}` && name !== WATERMARKS,
  );
  if (strange === undefined) return undefined;
  throw new CommandProblem(
    "NOT_A_STATE_FOLDER",
    `${folder.dir} holds something else than a platform's state (there is "${strange}", and no ${STATE_FILE}).\n` +
      "It is left alone. Choose another folder with --state, or empty this one yourself.",
  );
}

function isLock(name: string): boolean {
  return name === LOCK_FILE || name.startsWith(`${LOCK_FILE}.`);
}

function layoutOf(text: string): number | undefined {
  const value = parseJson(text);
  const layout = typeof value === "object" && value !== null && "layout" in value ? value.layout : undefined;
  return typeof layout === "number" ? layout : undefined;
}

function parseState(text: string): StateFile | undefined {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null) return undefined;
  if (!("bucket" in value && "database" in value && "migrations" in value)) return undefined;
  const { bucket, database, migrations } = value;
  if (typeof bucket !== "string" || typeof database !== "string") return undefined;
  if (typeof migrations !== "object" || migrations === null) return undefined;
  const hashes = Object.entries(migrations).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return { layout: STATE_LAYOUT, bucket, database, migrations: Object.fromEntries(hashes) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
