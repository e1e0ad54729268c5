/** wrangler as a function: what it was told, what it answered. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

export interface WranglerAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `input` goes to standard input, so that it stands in no list of processes. */
export type Wrangler = (args: readonly string[], input?: string) => Promise<WranglerAnswer>;

/** The project's own wrangler, run in `root`. It never asks: its standard input is no terminal. */
export function projectWrangler(root: string, timeoutMs = 300_000): Wrangler {
  const bin = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin/wrangler.js");
  return async (args, input) => {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", FORCE_COLOR: "0" },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: timeoutMs,
    });
    // A wrangler that ended without reading closes the pipe: its exit code says what happened.
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8");
      child[name].on("data", (text: string) => {
        texts[name] += text;
      });
    }
    const code = await new Promise<number | null>((settled, failed) => {
      child.on("error", failed);
      child.on("close", settled);
    });
    const [stdout, stderr] = [stripVTControlCharacters(texts.stdout), stripVTControlCharacters(texts.stderr)];
    return { exitCode: code ?? 1, stdout, stderr };
  };
}
