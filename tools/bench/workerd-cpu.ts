/** CPU time of the workerd that a piece of code starts, from Linux's /proc (proc(5)). */
import { readdirSync, readFileSync } from "node:fs";

/** Milliseconds of CPU, so that what else the machine does counts for little. */
export interface WorkerdCpu {
  /** Of all its threads, those that ended too: Wasm and hot functions are compiled beside the one that runs JavaScript. */
  readonly all: number;
  /** Of the thread that runs JavaScript. */
  readonly main: number;
}

/** What the workerd has taken when `start` resolves; it is stopped again. Throws when `start` starts none. */
export async function cpuOfStart(start: () => Promise<{ dispose(): Promise<void> }>): Promise<WorkerdCpu> {
  const before = new Set(workerds());
  const runtime = await start();
  try {
    const started = workerds().filter((pid) => !before.has(pid));
    if (started.length === 0) throw new Error("no new workerd process was found in /proc");
    return cpuOf(started);
  } finally {
    await runtime.dispose();
  }
}

/** What these processes have taken since they started. */
export function cpuOf(pids: readonly number[]): WorkerdCpu {
  const threads = pids.flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((thread) => ({
      main: thread === String(pid),
      milliseconds: threadMilliseconds(pid, thread),
    })),
  );
  return {
    // Threads are told to the nanosecond while they live, the process to the hundredth of a second, rounded down.
    all: Math.max(sum(threads.map(({ milliseconds }) => milliseconds)), sum(pids.map(processMilliseconds))),
    main: sum(threads.map(({ main, milliseconds }) => (main ? milliseconds : 0))),
  };
}

/** Of threads that have ended too. */
function processMilliseconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * TICK_MS;
}

/** Fields of `stat` behind the name (proc(5)). */
const [USER_TICKS, SYSTEM_TICKS] = [11, 12];
/** Linux tells them in this unit on every machine. */
const TICK_MS = 10;

/** The scheduler's own count in nanoseconds: the times in `stat` are of hundredths of a second. None of a thread that has just ended. */
function threadMilliseconds(pid: number, thread: string): number {
  try {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return Number(nanoseconds) / 1e6;
  } catch {
    return 0;
  }
}

/** The workerd processes that this process started. */
export function workerds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat?.name === "workerd" && stat.parent === process.pid;
    });
}

/** Undefined for a process that is gone. The name stands in parentheses and may hold spaces. */
function statOf(pid: number): { readonly name: string; readonly parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    const [, parent] = text.slice(end + 2).split(" ");
    return { name: text.slice(text.indexOf("(") + 1, end), parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
