/** A Python interpreter and what is installed for it. */
import { spawn } from "node:child_process";

export interface Python {
  /** Whether a module can be imported. */
  has(module: string): Promise<boolean>;
  /** Runs a script, or a module with `-m`; the text that it printed. Never rejects for a script that fails. */
  run(args: readonly string[], options?: { readonly cwd?: string }): Promise<PythonRun>;
}

export interface PythonRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Rejects when the program cannot be started. */
export async function openPython(program: string): Promise<Python> {
  const run: Python["run"] = (args, { cwd } = {}) =>
    new Promise((resolve, reject) => {
      // Warnings of libraries would hide what they print; times are compared as UTC.
      const env = { ...process.env, PYTHONWARNINGS: "ignore", TZ: "UTC" };
      const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (text) => (stdout += String(text)));
      child.stderr.on("data", (text) => (stderr += String(text)));
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
  const { code, stderr } = await run(["-c", "import sys; assert sys.version_info >= (3, 10)"]);
  if (code !== 0) throw new Error(`${program} is not Python 3.10 or newer: ${stderr.trim()}`);
  return {
    run,
    async has(module) {
      const found = `import importlib.util, sys; sys.exit(0 if importlib.util.find_spec(${JSON.stringify(module)}) else 1)`;
      return (await run(["-c", found])).code === 0;
    },
  };
}
