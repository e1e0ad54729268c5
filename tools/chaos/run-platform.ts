/** A platform in a process of its own, to be killed: `node run-platform.ts STATE_DIR [--edge]` prints its URL and what its faults do, and waits. */
import { resolve } from "node:path";
import { buildBundle } from "../build/bundle.ts";
import { startPlatform } from "../local-platform/platform.ts";
import { CHAOS_VARS, FAULTS_BUNDLE, readFault } from "./victim.ts";

const root = resolve(import.meta.dirname, "../..");
const [stateDir, ...flags] = process.argv.slice(2);
if (stateDir === undefined) throw new Error("usage: run-platform.ts STATE_DIR [--edge]");

// Whoever started this process is gone when its channel is: nobody would end it then.
process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));

const bundle = await buildBundle({ root, ...FAULTS_BUNDLE });
const platform = await startPlatform({
  root,
  bundle,
  stateDir,
  port: 0,
  edge: flags.includes("--edge"),
  planEverySeconds: 1,
  vars: CHAOS_VARS,
  onWorkerLog: ({ message }) => {
    if (readFault(message) !== undefined) console.log(message);
  },
});
console.log(`URL ${platform.url}`);
