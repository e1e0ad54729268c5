/** A copy of the sources to break: the project's own files, with its installed packages behind a link. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutation } from "./mutations.ts";

const NOT_COPIED: ReadonlySet<string> = new Set([".git", ".sluice", ".wrangler", "dist", "node_modules"]);

/** Copies the tree at `root`; disposing removes the copy. */
export function copySources(root: string): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "sluice-mutant-"));
  const skipped = new Set([...NOT_COPIED].map((name) => join(root, name)));
  cpSync(root, path, { recursive: true, filter: (source) => !skipped.has(source) });
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Makes the change in the copy. Throws when the file does not have exactly one place for it. */
export function applyMutation(path: string, { name, file, before, after }: Mutation): void {
  const source = readFileSync(join(path, file), "utf8");
  const places = source.split(before).length - 1;
  if (places !== 1) {
    throw new Error(`mutation ${name} fits ${places} places of ${file}, not one: bring it up to date with the code`);
  }
  writeFileSync(
    join(path, file),
    source.replace(before, () => after),
  );
}
