/**
 * The checks of `sluice doctor`, of a checkout and the machine it is on. Whatever needs installed or generated modules is
 * imported inside its check, so that a broken install is a finding and not a crash.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { missingOptionalPackages, readLock } from "../../build/complete-lock.ts";
import { CommandProblem } from "../../command-problem.ts";
import { isPortFree } from "../../local-platform/ports.ts";
import { readState, stateFolder } from "../../local-platform/state.ts";
import type { Wrangler } from "../../provision/wrangler.ts";
import { type Check, ok, skipped, type Verdict, warning, wrong } from "./examine.ts";

export interface Surroundings {
  /** The checkout. */
  readonly root: string;
  /** Of the Node that runs this, without the v. */
  readonly nodeVersion: string;
  readonly wrangler: Wrangler;
}

/** The platform's port and its inspector's: what `npm run dev` listens on. */
const PORTS = [8787, 8788];
/** From here on Node runs TypeScript as it stands (nodejs.org/api/typescript.html); package.json's engines is what `npm ci` needs. */
const RUNS_TYPESCRIPT = { major: 22, minor: 18 };

export function doctorChecks({ root, nodeVersion, wrangler }: Surroundings): readonly Check[] {
  return [
    { name: "node", adviceOnError: "run npm ci", run: () => nodeVerdict(root, nodeVersion) },
    { name: "install", adviceOnError: "run npm ci", run: () => installVerdict(root) },
    { name: "lock", adviceOnError: "restore package-lock.json from git, then npm ci", run: () => lockVerdict(root) },
    { name: "contracts", adviceOnError: "mend what it says, then npm run compile", run: () => contractsVerdict(root) },
    { name: "wrangler.toml", adviceOnError: "npm run wrangler:sync, then npm run types", run: () => tomlVerdict(root) },
    { name: "native models", adviceOnError: "npm run compile", run: nativeVerdict },
    { name: "ports", adviceOnError: "choose another with --port", run: portsVerdict },
    { name: "state folder", adviceOnError: "npm run reset", run: () => stateVerdict(root) },
    { name: "wrangler login", adviceOnError: "run npm ci", run: () => loginVerdict(wrangler) },
  ];
}

/** Commands run on the project's own Node, a devDependency, whatever the machine has: only another one is worth a word. */
function nodeVerdict(root: string, version: string): Verdict {
  const own = manifestOf(root)["devDependencies"]?.["node"];
  if (own === undefined) return wrong("package.json names no Node of the project's own", "restore it from git");
  if (version === own) return ok(`${version}, the project's own`);
  const advice = "run commands by npm run or npx sluice, which take the project's own";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const runs = major > RUNS_TYPESCRIPT.major || (major === RUNS_TYPESCRIPT.major && minor >= RUNS_TYPESCRIPT.minor);
  if (runs) return warning(`${version}, not the project's own ${own}`, advice);
  return wrong(`${version} cannot run the project's TypeScript`, advice);
}

/** Whether what is installed is what package.json asks for: `node_modules/.package-lock.json` is npm's own record. */
function installVerdict(root: string): Verdict {
  const record = join(root, "node_modules/.package-lock.json");
  if (!existsSync(record)) return wrong("there is no node_modules", "run npm ci");
  const wanted = versionsIn(join(root, "package-lock.json"));
  const installed = versionsIn(record);
  const differing = [...installed].filter(([path, version]) => wanted.get(path) !== version).map(([path]) => path);
  const absent = directOf(root).filter((name) => !installed.has(`node_modules/${name}`));
  const first = [...absent, ...differing][0];
  if (first === undefined) return ok(`${installed.size} packages, as locked`);
  return wrong(`${absent.length + differing.length} packages are not as locked, ${first} first`, "run npm ci");
}

function versionsIn(lockFile: string): Map<string, string | undefined> {
  const lock: { packages?: Record<string, { version?: string }> } = JSON.parse(readFileSync(lockFile, "utf8"));
  const packages = Object.entries(lock.packages ?? {}).filter(([path]) => path !== "");
  return new Map(packages.map(([path, { version }]) => [path, version]));
}

function directOf(root: string): string[] {
  const { dependencies = {}, devDependencies = {} } = manifestOf(root);
  return Object.keys({ ...dependencies, ...devDependencies });
}

/** Whether some model needs a builder besides the platform: nothing here knows whether one runs. */
async function nativeVerdict(): Promise<Verdict> {
  const { tables } = await import("../../../lakehouse/tables/catalog.ts");
  const { isNativeTable } = await import("../../../lakehouse/builds/native/routing.ts");
  const names = tables.filter(isNativeTable).map(({ name }) => name);
  if (names.length === 0) return ok("none: the platform builds every model itself");
  return ok(`${names.join(", ")}: built by npx sluice builder --url URL beside the platform (docs/native-builder.md)`);
}

function manifestOf(root: string): Record<string, Record<string, string> | undefined> {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
}

function lockVerdict(root: string): Verdict {
  const missing = missingOptionalPackages(readLock(root));
  const [first] = missing;
  if (first === undefined) return ok("complete for all platforms");
  return wrong(
    `${missing.length} packages of other platforms are missing, ${first.name} first`,
    "run npm run lock, and commit package-lock.json",
  );
}

/** Compiles in place, which also brings the generated files up to date. */
async function contractsVerdict(root: string): Promise<Verdict> {
  const generated = join(root, "contracts/contracts.generated.ts");
  const before = existsSync(generated) ? readFileSync(generated, "utf8") : undefined;
  const { compileProject } = await import("../../build/compile.ts");
  await compileProject(root);
  const now = readFileSync(generated, "utf8");
  return ok(
    before === now ? "compile; generated files are current" : "compile; generated files were old, and are current now",
  );
}

async function tomlVerdict(root: string): Promise<Verdict> {
  const [{ contracts }, { syncQueues }] = await Promise.all([
    import("../../../contracts/registry.ts"),
    import("../../build/wrangler/queues.ts"),
  ]);
  const topics = contracts.map(({ topic }) => topic);
  const toml = readFileSync(join(root, "wrangler.toml"), "utf8");
  if (syncQueues(toml, topics) === toml) return ok(`has the queues of ${topics.length} topics`);
  return wrong("its queues are not those of contracts/", "npm run wrangler:sync, then npm run types");
}

async function portsVerdict(): Promise<Verdict> {
  const free = await Promise.all(PORTS.map(isPortFree));
  const taken = PORTS.filter((_, at) => free[at] === false);
  if (taken.length === 0) return ok(`${PORTS.join(" and ")} are free`);
  return warning(`${taken.join(" and ")} taken`, "fine if it is your platform; else start one with --port N");
}

function stateVerdict(root: string): Verdict {
  try {
    return ok(readState(stateFolder(join(root, ".sluice"))) === undefined ? "none yet" : ".sluice can be read");
  } catch (error) {
    if (error instanceof CommandProblem) return wrong(error.message, "");
    throw error;
  }
}

async function loginVerdict(wrangler: Wrangler): Promise<Verdict> {
  const { exitCode, stdout, stderr } = await wrangler(["whoami", "--json"]);
  if (exitCode === 0) return ok("logged in");
  const advice = "needed to deploy only: npx wrangler login, or CLOUDFLARE_API_TOKEN";
  if (/"loggedIn":\s*false/.test(stdout)) return warning("not logged in", advice);
  if (/fetch failed|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|timed? ?out/i.test(`${stdout}${stderr}`)) {
    return skipped("Cloudflare cannot be reached from here; needed to deploy only");
  }
  return warning((stderr || stdout).trim().split("\n")[0] ?? "wrangler did not answer", advice);
}
