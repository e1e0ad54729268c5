/** A lock between processes: a file that holds who has it. It outlives a killed process, and is then taken over. */
import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Who holds a lock and what is to be known of it. */
export interface LockHolder {
  readonly pid: number;
  readonly role: string;
  /** Where the holder can be reached; keys are the holder's own. */
  readonly details: Readonly<Record<string, string>>;
}

export interface ProcessLock {
  /** Replaces the details that others read. */
  publish(details: Readonly<Record<string, string>>): void;
  /** Gives the lock back; doing so twice does nothing. */
  release(): void;
}

export type LockAttempt =
  | { readonly acquired: true; readonly lock: ProcessLock }
  | { readonly acquired: false; readonly holder: LockHolder };

/** Tries once. A lock whose process is gone, or whose file is not readable as a lock, is taken over. */
export function tryLock(file: string, role: string, alive: (pid: number) => boolean = isAlive): LockAttempt {
  mkdirSync(dirname(file), { recursive: true });
  // A link appears with its content or not at all, unlike a file opened for writing.
  const draft = `${file}.${process.pid}-${randomUUID()}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, role, details: {} } satisfies LockHolder));
  try {
    for (;;) {
      if (link(draft, file)) return { acquired: true, lock: heldLock(file, role) };
      const seen = readText(file);
      if (seen === undefined) continue;
      const holder = parseHolder(seen);
      if (holder !== undefined && alive(holder.pid)) return { acquired: false, holder };
      removeStale(file, seen);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Who holds the lock now; undefined when nobody does, or only a process that is gone. */
export function lockHolder(file: string, alive: (pid: number) => boolean = isAlive): LockHolder | undefined {
  const text = readText(file);
  const holder = text === undefined ? undefined : parseHolder(text);
  return holder !== undefined && alive(holder.pid) ? holder : undefined;
}

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Without the right to signal it, it is somebody else's, and alive.
    return isCode(error, "EPERM");
  }
}

function heldLock(file: string, role: string): ProcessLock {
  let held = true;
  return {
    publish(details) {
      if (!held) return;
      const draft = `${file}.${process.pid}-${randomUUID()}`;
      writeFileSync(draft, JSON.stringify({ pid: process.pid, role, details } satisfies LockHolder));
      renameSync(draft, file);
    },
    release() {
      if (!held) return;
      held = false;
      rmSync(file, { force: true });
    },
  };
}

// Two processes may find the same stale lock. Each moves the file aside; whoever finds that it moved another's new lock
// (the text is not the one that was judged) puts it back.
function removeStale(file: string, judged: string): void {
  const aside = `${file}.${process.pid}-${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (isCode(error, "ENOENT")) return;
    throw error;
  }
  if (readText(aside) !== judged) link(aside, file);
  rmSync(aside, { force: true });
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function parseHolder(text: string): LockHolder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("pid" in value) || !("role" in value)) return undefined;
  const { pid, role } = value;
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid <= 0 || typeof role !== "string") return undefined;
  const details =
    "details" in value && typeof value.details === "object" && value.details !== null ? value.details : {};
  const texts = Object.entries(details).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return { pid, role, details: Object.fromEntries(texts) };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
