/** Inputs on this machine's disk: each object of the lake is written once and never changes, so a file that is whole serves every build. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";

export interface CachedFile {
  readonly file: string;
  readonly bytes: number;
}

export interface InputCache {
  readonly folder: string;
  /** Where the file of this key stands, or will. */
  pathOf(file: string): string;
  /** Tells whether the whole file stands on disk, and marks it as used now, so that `trim` removes it last. A file of another length goes. */
  holds(file: CachedFile): boolean;
  /** Removes what was longest not used, until no more than the bound stands there; `keep` stays, whatever that takes. */
  trim(keep: readonly CachedFile[]): void;
  /** Removes files that may be damaged: the next build fetches them again. */
  forget(files: readonly CachedFile[]): void;
}

/**
 * The cache in a folder that no other process uses, of one platform: the same key of another platform is another file. What an earlier
 * process was fetching when it ended is removed: half a file is never gone on with, since nobody knows what it lacks.
 */
export function openInputCache(folder: string, platform: string, boundBytes: number): InputCache {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (!name.endsWith(".parquet")) rmSync(join(folder, name), { force: true });

  function pathOf(file: string): string {
    return join(folder, `${createHash("sha256").update(`${platform}\n${file}`).digest("hex")}.parquet`);
  }

  return {
    folder,
    pathOf,
    holds({ file, bytes }) {
      const path = pathOf(file);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) return false;
      if (found.size !== bytes) {
        rmSync(path, { force: true });
        return false;
      }
      const now = new Date();
      utimesSync(path, now, now);
      return true;
    },
    trim(keep) {
      const kept = new Set(keep.map(({ file }) => pathOf(file)));
      const missing = keep.filter(({ file }) => statSync(pathOf(file), { throwIfNoEntry: false }) === undefined);
      const standing = readdirSync(folder).map((name) => {
        const path = join(folder, name);
        const { size, mtimeMs } = statSync(path);
        return { path, size, usedAt: mtimeMs };
      });
      let total = [...standing.map(({ size }) => size), ...missing.map(({ bytes }) => bytes)].reduce(
        (a, b) => a + b,
        0,
      );
      for (const { path, size } of standing.toSorted((a, b) => a.usedAt - b.usedAt)) {
        if (total <= boundBytes) return;
        if (kept.has(path)) continue;
        rmSync(path, { force: true });
        total -= size;
      }
    },
    forget(files) {
      for (const { file } of files) rmSync(pathOf(file), { force: true });
    },
  };
}
