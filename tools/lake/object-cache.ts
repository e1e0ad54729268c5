/** Copies of the lake's objects in local files. Objects are immutable, so that a copy is good for ever. */
import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { CommandProblem } from "../command-problem.ts";
import type { LakeSource } from "./source.ts";

export interface LakeObject {
  readonly key: string;
  readonly bytes: number;
}

const CONCURRENCY = 8;

/** Fetches what is not there yet and returns the local path of each key. Throws CommandProblem (LAKE_UNREADABLE). */
export async function cacheObjects(
  source: Pick<LakeSource, "read">,
  objects: readonly LakeObject[],
  cacheDir: string,
): Promise<Map<string, string>> {
  const paths = new Map(objects.map(({ key }) => [key, cachePath(cacheDir, key)]));
  const missing = objects.values().filter((object) => sizeOf(paths.get(object.key)) !== object.bytes);
  // The workers share one iterator: each object is fetched by one of them.
  const work = async () => {
    for (const { key } of missing) {
      const bytes = await source.read(key);
      if (bytes === undefined) throw unreadable(key);
      store(cachePath(cacheDir, key), bytes);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return paths;
}

function cachePath(cacheDir: string, key: string): string {
  const path = join(cacheDir, key);
  if (path.startsWith(cacheDir + sep)) return path;
  throw new CommandProblem("LAKE_UNREADABLE", `The catalog names an object that cannot be a file here: ${key}`);
}

// Another query may fetch the same object: a rename puts one whole copy there, whoever comes last.
function store(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, bytes, { mode: 0o600 });
  renameSync(draft, path);
}

function sizeOf(path: string | undefined): number | undefined {
  return path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })?.size;
}

function unreadable(key: string): CommandProblem {
  return new CommandProblem(
    "LAKE_UNREADABLE",
    `The catalog lists ${key}, and R2 does not have it. Maintenance may have removed it just now: try again.\n` +
      'If it stays so, the state is damaged: "npm run reset".',
  );
}
