/** `npm run bundle`: the Worker as it is deployed, built by wrangler into a folder that Miniflare can start. */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CommandProblem } from "../command-problem.ts";
import { type ProcessLock, tryLock } from "../process-lock.ts";
import { bundleInputsDigest } from "./bundle-inputs.ts";

export interface BundleModule {
  readonly type: "ESModule" | "CompiledWasm" | "Text" | "Data";
  /** Absolute. */
  readonly path: string;
}

export interface Bundle {
  readonly outdir: string;
  /** The entry first. */
  readonly modules: readonly BundleModule[];
  /** Of the inputs, see `bundleInputsDigest`. */
  readonly digest: string;
  /** False when an earlier build of the same inputs was found. */
  readonly built: boolean;
}

export interface BundleOptions {
  /** The project's folder, with wrangler.toml. */
  readonly root: string;
  /** Replaced as a whole by a build. Relative to `root`. */
  readonly outdir: string;
  /** Another entry than wrangler.toml's, with the same bindings: a test's wrapper of worker.ts. Relative to `root`. */
  readonly entry?: string;
}

const STAMP = "bundle.json";
/** A build takes seconds; another process that builds for longer than this is stuck. */
const WAIT_FOR_OTHER_BUILD_MS = 120_000;
const MODULE_TYPES: Readonly<Record<string, BundleModule["type"]>> = {
  ".wasm": "CompiledWasm",
  ".txt": "Text",
  ".html": "Text",
  ".sql": "Text",
  ".bin": "Data",
};

/**
 * Builds the bundle, or finds that it is there already. Several processes may ask for the same folder at once: one builds,
 * the others wait. Throws CommandProblem (BUNDLE_FAILED) with wrangler's output.
 */
export async function buildBundle(options: BundleOptions): Promise<Bundle> {
  const root = resolve(options.root);
  const outdir = resolve(root, options.outdir);
  const entry = resolve(root, options.entry ?? "worker.ts");
  const lock = await lockBuild(`${outdir}.lock`);
  try {
    const digest = bundleInputsDigest(root, entry);
    if (stampOf(outdir) === digest) return { outdir, modules: modulesIn(outdir, entry), digest, built: false };
    const draft = `${outdir}.building`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    await runWrangler(root, entry, draft);
    // The inputs may have changed while wrangler read them: the stamp is of those before, so that the next call builds again.
    writeFileSync(join(draft, STAMP), JSON.stringify({ digest }));
    rmSync(outdir, { recursive: true, force: true });
    renameSync(draft, outdir);
    return { outdir, modules: modulesIn(outdir, entry), digest, built: true };
  } finally {
    lock.release();
  }
}

async function lockBuild(file: string): Promise<ProcessLock> {
  const deadline = performance.now() + WAIT_FOR_OTHER_BUILD_MS;
  for (;;) {
    const attempt = tryLock(file, "bundle");
    if (attempt.acquired) return attempt.lock;
    if (performance.now() > deadline) {
      const { pid } = attempt.holder;
      throw new CommandProblem(
        "BUNDLE_FAILED",
        `Process ${pid} has been building for too long: stop it, or remove ${file}.`,
      );
    }
    await delay(100);
  }
}

function stampOf(outdir: string): string | undefined {
  try {
    const stamp: unknown = JSON.parse(readFileSync(join(outdir, STAMP), "utf8"));
    const digest = typeof stamp === "object" && stamp !== null && "digest" in stamp ? stamp.digest : undefined;
    return typeof digest === "string" ? digest : undefined;
  } catch {
    return undefined; // Never built, or built in part: both are built anew.
  }
}

function modulesIn(outdir: string, entry: string): BundleModule[] {
  const main = join(outdir, `${basename(entry, extname(entry))}.js`);
  const others = readdirSync(outdir).flatMap((name): BundleModule[] => {
    const type = MODULE_TYPES[extname(name)];
    return type === undefined ? [] : [{ type, path: join(outdir, name) }];
  });
  return [{ type: "ESModule", path: main }, ...others];
}

/** Only bundles: `--dry-run` sends nothing anywhere. */
async function runWrangler(root: string, entry: string, outdir: string): Promise<void> {
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin/wrangler.js");
  const args = [wrangler, "deploy", entry, "--dry-run", "--outdir", outdir, "--config", join(root, "wrangler.toml")];
  // `--env ""` names the top level, else wrangler warns that several environments are there.
  const child = spawn(process.execPath, [...args, "--env", ""], {
    cwd: root,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", FORCE_COLOR: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((settled, failed) => {
    child.on("error", failed);
    child.on("close", settled);
  });
  if (code !== 0) throw new CommandProblem("BUNDLE_FAILED", `The bundle could not be built:\n${output.trim()}`);
}

if (process.argv[1] === import.meta.filename) {
  const { runCommand } = await import("../command-line.ts");
  await runCommand(async () => {
    const bundle = await buildBundle({ root: resolve(import.meta.dirname, "../.."), outdir: "dist" });
    console.log(`${bundle.built ? "built" : "unchanged"}: ${bundle.modules.map((module) => module.path).join(", ")}`);
  });
}
