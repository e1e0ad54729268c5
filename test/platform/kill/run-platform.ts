/** A platform in a process of its own, to be killed: `node run-platform.ts STATE_DIR` prints its URL and waits. */
import { resolve } from "node:path";
import { buildBundle } from "../../../tools/build/bundle.ts";
import { startPlatform } from "../../../tools/local-platform/platform.ts";

const root = resolve(import.meta.dirname, "../../..");
const [stateDir] = process.argv.slice(2);
if (stateDir === undefined) throw new Error("usage: run-platform.ts STATE_DIR");

const bundle = await buildBundle({ root, outdir: "dist" });
const platform = await startPlatform({ root, bundle, stateDir, port: 0, vars: { FLUSH_AGE_SECONDS: "2" } });
console.log(`URL ${platform.url}`);
