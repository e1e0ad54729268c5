/** What a bundle is made from, as one digest: equal digests, equal bundles. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

const FILES = ["package-lock.json", "tsconfig.json", "worker.ts", "wrangler.toml"];
const FOLDERS = [
  "contracts",
  "durable-objects",
  "gateway",
  "lakehouse",
  "queue-consumers",
  "scheduled",
  "schemas",
  "sql",
  "tools/build",
  "tools/lake",
];

/**
 * SHA-256, hex, over names and bytes of all sources of the Worker and its compilers under `root`, and, for an entry file
 * elsewhere, of its folder. `*.generated.ts` are left out: they follow from the rest.
 */
export function bundleInputsDigest(root: string, entry: string): string {
  const folders = FOLDERS.map((folder) => join(root, folder));
  const entryFolder = dirname(entry);
  const files = FILES.map((file) => join(root, file)).filter((file) => existsSync(file));
  if (entryFolder !== root && !folders.some((folder) => `${entryFolder}${sep}`.startsWith(`${folder}${sep}`))) {
    folders.push(entryFolder);
  }
  for (const folder of folders) if (existsSync(folder)) files.push(...filesBelow(folder));
  const digest = createHash("sha256").update(relative(root, entry));
  for (const file of files.sort()) {
    const bytes = readFileSync(file);
    digest.update(`\0${relative(root, file)}\0${bytes.length}\0`).update(bytes);
  }
  return digest.digest("hex");
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.endsWith(".generated.ts"))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
