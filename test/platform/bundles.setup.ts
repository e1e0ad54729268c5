/** Builds the bundles that platform files start, before the first of them: at once they would build into one folder. */
import { buildTestBundle, FAULTS_ENTRY, FOUR_SHARDS_ENTRY } from "./bundles.ts";

export default async function buildBundles(): Promise<void> {
  // The others are in folders of its own, which it replaces.
  await buildTestBundle();
  await Promise.all([FAULTS_ENTRY, FOUR_SHARDS_ENTRY].map(buildTestBundle));
}
