/**
 * Ctrl-C in a terminal goes to every process of the foreground group, workerd included: it would be gone, with the messages
 * in its queues, before anything could be drained. So the platform runs in a group of its own, and the process in the
 * foreground only passes signals on.
 */
import { spawn } from "node:child_process";
import { STOP_SIGNALS } from "./signals.ts";

const MARK = "SLUICE_OWN_PROCESS_GROUP";

/** Whether this process was started by `runInOwnGroup`. */
export function isInOwnGroup(): boolean {
  return process.env[MARK] === "1" && process.send !== undefined;
}

/** Runs a script with the same Node in a process group of its own; resolves with its exit code. */
export function runInOwnGroup(script: string, args: readonly string[]): Promise<number> {
  // Windows has no process groups: there `detached` would open another console.
  const detached = process.platform !== "win32";
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    detached,
    env: { ...process.env, [MARK]: "1" },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  for (const signal of STOP_SIGNALS) process.on(signal, () => child.kill("SIGTERM"));
  return new Promise((settled, failed) => {
    child.on("error", failed);
    child.on("exit", (code) => settled(code ?? 1));
  });
}

/** Calls `gone` when the process in the foreground has ended without passing a signal on (it was killed). */
export function onForegroundGone(gone: () => void): void {
  process.on("disconnect", gone);
}
