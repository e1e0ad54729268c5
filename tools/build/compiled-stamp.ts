/** Whether the generated modules are what their inputs compile to: then `npm run compile`, which nearly every command begins with, has nothing to do. */
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundleInputsDigest } from "./bundle-inputs.ts";

/** `npm ci` removes it, so that other versions of the compilers' libraries compile anew. */
const STAMP = "node_modules/.cache/sluice/compiled.json";

/** SHA-256 over whatever the modules are made from, the compilers included. */
export function compilerInputs(root: string): string {
  return bundleInputsDigest(root, join(root, "worker.ts"));
}

/** Whether these inputs were compiled last, and each module that came of it stands as it was written, with no other beside them. */
export function isCompiled(root: string, inputs: string): boolean {
  const file = join(root, STAMP);
  return existsSync(file) && readFileSync(file, "utf8") === stampOf(root, inputs);
}

/** `inputs` as they were before they were compiled: what changed meanwhile is compiled by the next call. */
export function noteCompiled(root: string, inputs: string): void {
  const file = join(root, STAMP);
  mkdirSync(dirname(file), { recursive: true });
  // In one step, since several processes may compile at once, and a new file: folders of dependencies are copied by links.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, stampOf(root, inputs));
  renameSync(draft, file);
}

function stampOf(root: string, inputs: string): string {
  const modules = globSync("{contracts,schemas,lakehouse,producers}/**/*.generated.ts", { cwd: root }).sort();
  const digest = createHash("sha256");
  for (const name of modules)
    digest
      .update(`${name}\0`)
      .update(readFileSync(join(root, name)))
      .update("\0");
  return JSON.stringify({ inputs, modules: digest.digest("hex") });
}
