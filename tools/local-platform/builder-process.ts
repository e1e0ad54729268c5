/** A native builder beside a local platform: a process of its own, as anybody would start one, that only calls the platform. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";
import { type CompiledModel, isNativeOnly } from "../../lakehouse/engine/ir/ir.ts";

const script = resolve(import.meta.dirname, "../cli/main.ts");

export interface BuilderProcessOptions {
  readonly url: string;
  readonly apiKey: string;
  /** No other builder's. */
  readonly dir: string;
  /** As `--memory` takes it; 1GB if not given. */
  readonly memory?: string;
  readonly once?: boolean;
  /** Hears of each build: its event (docs/native-builder.md), one line of JSON. */
  readonly onBuilt?: (event: string) => void;
  /** Hears what the builder says beside. */
  readonly log?: (line: string) => void;
}

export interface BuilderProcess {
  readonly pid: number | undefined;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly gone: Promise<number | string>;
  /** Ends it well: what it builds waits for another one. Resolves when it is gone; doing so twice does nothing. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): void;
}

/** Whether models ask for a builder at all: without one that only DuckDB builds it would wait for nothing. */
export function needBuilder(models: readonly CompiledModel[]): boolean {
  return models.some(isNativeOnly);
}

const built = z.object({
  ...{ table: z.string(), date: z.string(), outcome: z.string(), message: z.string().nullable() },
  ...{ rows_out: z.number(), total_ms: z.number() },
});

/** A build's event as a line for people. */
export function builtLine(event: string): string {
  const { table, date, outcome, message, rows_out, total_ms } = built.parse(JSON.parse(event));
  const figures = outcome === "published" ? `, ${rows_out} rows in ${(total_ms / 1_000).toFixed(1)} s` : "";
  return `builder: ${table} ${date} ${outcome}${figures}${message === null ? "" : ` (${message})`}`;
}

/** Starts a builder. It ends by itself when this process does, however that ends. */
export function startBuilderProcess(options: BuilderProcessOptions): BuilderProcess {
  const { url, apiKey, dir, memory = "1GB", onBuilt = () => {}, log = () => {} } = options;
  const args = ["builder", "--url", url, "--dir", dir, "--memory", memory, "--name", "local", "--json"];
  const child = spawn(process.execPath, [script, ...args, ...(options.once === true ? ["--once"] : [])], {
    // The channel's end tells it that this process is gone. A group of its own: Ctrl-C in a terminal is for who started it.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: process.platform !== "win32",
    env: { ...process.env, SLUICE_KEY: apiKey },
  });
  lines(child, "stdout", onBuilt);
  lines(child, "stderr", log);
  const gone = once(child, "exit").then(([code, signal]: (number | string | null)[]) => code ?? signal ?? 1);
  // Whoever waits for nothing else may end: the builder ends with it.
  child.channel?.unref();
  return {
    pid: child.pid,
    gone,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await gone;
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

function lines(child: ChildProcess, stream: "stdout" | "stderr", hear: (line: string) => void): void {
  const input = child[stream];
  if (input !== null) createInterface({ input }).on("line", hear);
}
