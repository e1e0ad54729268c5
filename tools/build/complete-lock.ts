/**
 * `npm run lock`: after `npm install`, puts back the optional packages of other platforms that npm left out of
 * package-lock.json because the registry in use did not have them (yet). Without them `npm ci` calls the lock out of
 * step, and a machine of that platform would get none. They are added without an integrity, which npm fills in there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";

const lockFile = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      dev: z.boolean().optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
type Lock = z.infer<typeof lockFile>;

export interface MissingPackage {
  /** Its place in the lock, beside the package that wants it. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

/** The optional packages that the lock's packages ask for in an exact version and that it does not hold. */
export function missingOptionalPackages(lock: Lock): MissingPackage[] {
  return Object.entries(lock.packages).flatMap(([path, entry]) =>
    Object.entries(entry.optionalDependencies ?? {}).flatMap(([name, version]) => {
      if (!/^\d+\.\d+\.\d+/.test(version) || isHeld(lock, path, name, version)) return [];
      const folder = path.slice(0, path.lastIndexOf("node_modules/") + "node_modules/".length);
      return [{ path: `${folder}${name}`, name, version, dev: entry.dev ?? false }];
    }),
  );
}

/** Node's own look-up: the package's own node_modules, then each folder above. The first one found must be the version wanted. */
function isHeld(lock: Lock, path: string, name: string, version: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    const candidate = at === "." ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    const found = lock.packages[candidate];
    if (found !== undefined) return found.version === version;
    if (at === "." || at === "") return false;
  }
}

const OS: Readonly<Record<string, string>> = { windows: "win32" };
const SYSTEMS = [
  "android",
  "darwin",
  "linux",
  "win32",
  "windows",
  "freebsd",
  "openbsd",
  "netbsd",
  "sunos",
  "aix",
  "openharmony",
];
const PROCESSORS = ["arm64", "x64", "ia32", "arm", "ppc64", "riscv64", "s390x", "loong64", "mips64el", "wasm32"];

/** What a platform package's name says of where it runs: `@biomejs/cli-linux-x64-musl`. */
export function platformOf(name: string): { os?: string[]; cpu?: string[]; libc?: string[] } {
  const words = name.split(/[-/]/);
  const os = words.find((word) => SYSTEMS.includes(word));
  const cpu = words.find((word) => PROCESSORS.includes(word)) ?? (words.includes("64") ? "x64" : undefined);
  return {
    ...(os === undefined ? {} : { os: [OS[os] ?? os] }),
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(words.includes("musl") ? { libc: ["musl"] } : {}),
  };
}

/** The lock with the missing packages in their places; the same lock when none is missing. */
export function completeLock(lock: Lock): Lock {
  const missing = missingOptionalPackages(lock);
  if (missing.length === 0) return lock;
  const packages = { ...lock.packages };
  for (const { path, name, version, dev } of missing) {
    packages[path] = { version, ...(dev ? { dev } : {}), optional: true, ...platformOf(name) };
  }
  const ordered = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return { ...lock, packages: Object.fromEntries(ordered) };
}

export function readLock(root: string): Lock {
  const json: Lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  lockFile.parse(json);
  // As npm wrote it, not as parsed: a parsed object has its keys in another order, and the diff would be the whole file.
  return json;
}

if (process.argv[1] === import.meta.filename) {
  const root = resolve(import.meta.dirname, "../..");
  const lock = readLock(root);
  const missing = missingOptionalPackages(lock);
  for (const { path, version } of missing) console.log(`${path} ${version}`);
  writeFileSync(join(root, "package-lock.json"), `${JSON.stringify(completeLock(lock), null, 2)}\n`);
  console.log(`${missing.length} packages added to package-lock.json`);
}
