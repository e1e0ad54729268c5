/** `npm run check`: compiles, then looks at everything that no test runs, side by side; prints what is wrong, of all of it. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";

/** Scripts of package.json. None writes, so that all may run at once. */
const CHECKS = ["wrangler:check", "types:check", "typecheck", "lint", "docs:check"];
const root = resolve(import.meta.dirname, "../..");
/** The compiler of TypeScript is a Go program that ends after seconds: collecting garbage was a third of its computing, and freed little. */
const env = { ...process.env, GOGC: "off" };

interface Ended {
  readonly ok: boolean;
  readonly output: string;
}

function npmRun(script: string): Promise<Ended> {
  const child = spawn("npm", ["run", "--silent", script], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => (output += text));
  }
  return new Promise((ended, failed) => {
    child.on("error", failed);
    child.on("close", (code) => ended({ ok: code === 0, output }));
  });
}

async function check(script: string): Promise<void> {
  const { ok, output } = await npmRun(script);
  if (ok) return;
  process.exitCode = 1;
  console.error(`npm run ${script} failed:\n${output.trimEnd()}\n`);
}

await check("compile");
if (process.exitCode !== 1) await Promise.all(CHECKS.map(check));
