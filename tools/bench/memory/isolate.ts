/** A fresh Node process with the heap of a Worker's isolate. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** V8 sizes its young generation and its collections by it. */
const ISOLATE_MB = 128;

/** Figures by name, and what else a script tells. */
type Printed = Readonly<Record<string, number | string>>;

/** Runs a script and gives what it prints, which is JSON. Rejects with its output when it fails. */
export async function runIsolate(script: string, args: readonly string[]): Promise<Printed> {
  const flags = ["--expose-gc", `--max-heap-size=${ISOLATE_MB}`];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, ...args], { timeout: 120_000 });
  return JSON.parse(stdout);
}

/** A figure that the script must have printed. */
export function figure(figures: Printed, name: string): number {
  const value = figures[name];
  if (typeof value !== "number") throw new Error(`the measuring process printed no ${name}`);
  return value;
}
