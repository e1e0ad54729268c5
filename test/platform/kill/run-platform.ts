/** A platform in a process of its own, to be killed: `node run-platform.ts STATE_DIR ACK_FILE` prints its URL and waits. */
import { appendFileSync } from "node:fs";
import { resolve } from "node:path";
import { buildBundle } from "../../../tools/build/bundle.ts";
import { startPlatform } from "../../../tools/local-platform/platform.ts";

const root = resolve(import.meta.dirname, "../../..");
const [stateDir, ackFile] = process.argv.slice(2);
if (stateDir === undefined || ackFile === undefined) throw new Error("usage: run-platform.ts STATE_DIR ACK_FILE");

const bundle = await buildBundle({ root, outdir: "dist/kill", entry: "test/platform/kill/worker.ts" });
const platform = await startPlatform({
  root,
  bundle,
  stateDir,
  port: 0,
  vars: { FLUSH_AGE_SECONDS: "2" },
  onWorkerLog: ({ message }) => {
    if (message.startsWith("ACKNOWLEDGED ")) appendFileSync(ackFile, `${message.slice("ACKNOWLEDGED ".length)}\n`);
  },
});
console.log(`URL ${platform.url}`);
