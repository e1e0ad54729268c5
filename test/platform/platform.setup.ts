/** What platform files share: bundles, which at once would be built into one folder, and a state with all migrations in it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";
import { startPlatform } from "../../tools/local-platform/platform.ts";
import { buildTestBundle, FAULTS_ENTRY, FOUR_SHARDS_ENTRY } from "./bundles.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The state folder of a platform that was started once and stopped: to be copied, since migrations take a second. */
    readonly startedState: string;
  }
}

const root = resolve(import.meta.dirname, "../..");

export default async function prepare({ provide }: Pick<TestProject, "provide">): Promise<() => void> {
  // The other bundles are in folders of its own, which it replaces.
  const bundle = await buildTestBundle();
  const folder = mkdtempSync(join(tmpdir(), "sluice-started-"));
  const stateDir = join(folder, "state");
  async function startOnce(): Promise<void> {
    const platform = await startPlatform({ root, bundle, stateDir, port: 0, crons: "manual" });
    await platform.stop();
  }
  await Promise.all([startOnce(), buildTestBundle(FAULTS_ENTRY), buildTestBundle(FOUR_SHARDS_ENTRY)]);
  provide("startedState", stateDir);
  return () => rmSync(folder, { recursive: true, force: true });
}
