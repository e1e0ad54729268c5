/** What platform tests start: the Worker that is deployed, or one around it. */
import { basename, dirname, resolve } from "node:path";
import { type Bundle, buildBundle } from "../../tools/build/bundle.ts";
import { FAULTS_BUNDLE } from "../../tools/chaos/victim.ts";

const root = resolve(import.meta.dirname, "../..");

/** Relative to the project, as all entries. */
export const FAULTS_ENTRY = FAULTS_BUNDLE.entry;
export const FOUR_SHARDS_ENTRY = "test/platform/four-shards/worker.ts";
/** With `daily_external_data` for the native builder, which takes seconds. */
export const NATIVE_ENTRY = "test/platform/native/worker.ts";

/** The Worker's own entry, if none is given. */
export function buildTestBundle(entry?: string): Promise<Bundle> {
  return buildBundle(
    entry === undefined ? { root, outdir: "dist" } : { root, outdir: `dist/${basename(dirname(entry))}`, entry },
  );
}
