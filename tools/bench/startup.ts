/** CPU that the Worker's global scope takes with 100 topics: avsc's types, plans, rules and operation tables are all made there. */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildBundle } from "../build/bundle.ts";
import { compileProject } from "../build/compile.ts";
import { openStorage, runtimeConfig, startRuntime } from "../local-platform/worker-runtime.ts";
import { type Bench, median } from "./bench.ts";

const TOPICS = 100;
const ROUNDS = 5;
const BUDGET_MS = 300;
const root = resolve(import.meta.dirname, "../..");
const LEFT_OUT = new Set(["node_modules", ".git", "dist", ".sluice", ".wrangler", "test", "docs"]);

export const bench: Bench = {
  explanation: `Copies the project, adds topics until there are ${TOPICS} (copies of orders, with both versions of its schema), bundles it with wrangler and starts it in
raw Miniflare ${ROUNDS} times, in turns with an empty Worker. The figure is the CPU time of the workerd process from its start until it answers, less the empty
Worker's: the median. Budget ${BUDGET_MS} ms; the platform's limit is 1 s. Needs Linux (/proc).`,
  async run(log) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-startup-"));
    try {
      const project = join(folder, "project");
      const topics = copyWithTopics(project);
      log(`${topics} topics`);
      await compileProject(project);
      const bundle = await buildBundle({ root: project, outdir: "dist" });
      const bytes = bundle.modules.reduce(
        (sum, { path, type }) => sum + (type === "ESModule" ? readFileSync(path).byteLength : 0),
        0,
      );
      log(`bundle: ${(bytes / 1e6).toFixed(2)} MB of JavaScript`);
      const config = runtimeConfig(join(project, "wrangler.toml"), bundle, {});
      const ours: number[] = [];
      const empty: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const storage = join(folder, `storage-${round}`);
        mkdirSync(storage);
        empty.push(await cpuOf(() => openStorage(config.bucket, config.database, storage)));
        ours.push(
          await cpuOf(async () => {
            const runtime = await startRuntime(config, null, storage, 0, () => {});
            await (await fetch(new URL("/healthz", await runtime.ready))).arrayBuffer();
            return runtime;
          }),
        );
      }
      const milliseconds = median(ours) - median(empty);
      log(`workerd: ${median(ours)} ms of CPU, an empty Worker ${median(empty)} ms`);
      const ratio = milliseconds / BUDGET_MS;
      return { ratio, budget: 1, ok: ratio <= 1, topics, milliseconds, empty_milliseconds: median(empty) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** The project in `to`, with copies of the topic orders; gives the number of topics. */
function copyWithTopics(to: string): number {
  cpSync(root, to, {
    recursive: true,
    filter: (source) => !LEFT_OUT.has(source.slice(root.length + 1).split("/")[0] ?? ""),
  });
  symlinkSync(join(root, "node_modules"), join(to, "node_modules"));
  const releasesFile = join(to, "schemas/releases.json");
  const releases: { releases: { id: number; topic: string; version: number; sha256: string }[] } = JSON.parse(
    readFileSync(releasesFile, "utf8"),
  );
  const contract = readFileSync(join(to, "contracts/orders.yaml"), "utf8");
  const own = releases.releases.filter((release) => release.topic === "orders");
  let topics = readdirSync(join(to, "contracts")).filter((name) => name.endsWith(".yaml")).length;
  let id = Math.max(...releases.releases.map((release) => release.id));
  for (; topics < TOPICS; topics++) {
    const topic = `orders_${topics}`;
    writeFileSync(join(to, `contracts/${topic}.yaml`), contract.replaceAll(/\borders\b/g, topic));
    mkdirSync(join(to, "schemas", topic));
    for (const { version } of own) {
      const text = readFileSync(join(to, `schemas/orders/v${version}.avsc`), "utf8").replaceAll(
        "sluice.orders",
        `sluice.${topic}`,
      );
      writeFileSync(join(to, `schemas/${topic}/v${version}.avsc`), text);
      releases.releases.push({ id: ++id, topic, version, sha256: createHash("sha256").update(text).digest("hex") });
    }
  }
  writeFileSync(releasesFile, JSON.stringify(releases));
  return topics;
}

/** Milliseconds of CPU of the workerd that `start` starts; it is stopped again. */
async function cpuOf(start: () => Promise<{ dispose(): Promise<void> }>): Promise<number> {
  const before = new Set(workerds());
  const runtime = await start();
  try {
    const started = workerds().filter((pid) => !before.has(pid));
    if (started.length === 0) throw new Error("no new workerd process was found");
    return started.reduce((sum, pid) => sum + cpuMilliseconds(pid), 0);
  } finally {
    await runtime.dispose();
  }
}

/** The workerd processes that this process started. */
function workerds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat?.name === "workerd" && stat.fields[1] === String(process.pid);
    });
}

/** /proc/PID/stat (proc(5)): the fields after the name, which may hold spaces. Undefined for a process that is gone. */
function statOf(pid: number): { readonly name: string; readonly fields: readonly string[] } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    return { name: text.slice(text.indexOf("(") + 1, end), fields: text.slice(end + 2).split(" ") };
  } catch {
    return undefined;
  }
}

/** Ticks are hundredths of a second on Linux (USER_HZ). */
function cpuMilliseconds(pid: number): number {
  const fields = statOf(pid)?.fields ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
