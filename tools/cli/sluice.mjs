#!/usr/bin/env node
// `npx sluice ...`: whatever Node that runs this, the commands run on the project's own (a devDependency), which reads TypeScript.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const own = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));
if (!existsSync(own)) {
  console.error("sluice: the project's dependencies are not installed; run npm ci first.");
  process.exit(1);
}
if (!existsSync(new URL("../../contracts/contracts.generated.ts", import.meta.url))) {
  const compiler = fileURLToPath(new URL("../build/main.ts", import.meta.url));
  const { status } = spawnSync(own, [compiler], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const child = spawn(own, [main, ...process.argv.slice(2)], { stdio: "inherit" });

// Ctrl-C reaches the child too, which may have something to finish: this process only passes on how it ended.
const wait = () => {};
process.on("SIGINT", wait);
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code, signal) => {
  process.off("SIGINT", wait);
  if (signal === null) process.exitCode = code ?? 1;
  else process.kill(process.pid, signal);
});
child.on("error", (error) => {
  console.error(`sluice: ${error.message}`);
  process.exitCode = 1;
});
