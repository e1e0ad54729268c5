/** CPU that the Worker's global scope takes with 100 topics: avsc's types, plans, rules and operation tables are all made there. */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isSeq, parseDocument } from "yaml";
import { type Bundle, buildBundle } from "../build/bundle.ts";
import { compileProject } from "../build/compile.ts";
import { type RuntimeConfig, runtimeConfig, startRuntime } from "../local-platform/worker-runtime.ts";
import { type Bench, median } from "./bench.ts";
import { cpuOfStart, type WorkerdCpu } from "./workerd-cpu.ts";

const TOPICS = 100;
const ROUNDS = 7;
const BUDGET_MS = 300;
const root = resolve(import.meta.dirname, "../..");
const LEFT_OUT = new Set(["node_modules", ".git", "dist", ".sluice", ".wrangler", "test", "docs"]);

export const bench: Bench = {
  explanation: `Copies the project, adds topics until there are ${TOPICS} (copies of orders, with both versions of its schema), bundles it with wrangler and starts it in
raw Miniflare ${ROUNDS} times, in turns with an empty Worker that has the same bindings and Durable Object classes, so that the local platform's own start does not
count. The figure is CPU time, not wall time: all threads of workerd from its start until it has answered one request, less the empty Worker's; medians.
The platform's limit is 1 s of CPU for the script's global scope. The figure has more in it: what V8 compiles on other threads (Wasm above all) and that request; what
the thread of JavaScript took is nearest to the limit, and printed too (main_milliseconds). The budget, ${BUDGET_MS} ms, is for a machine that does nothing else: the CPU time of
both Workers grows where others use the same cores (empty_milliseconds says how much). Needs Linux (/proc).`,
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
      const wranglerToml = join(project, "wrangler.toml");
      const config = runtimeConfig(wranglerToml, bundle, {});
      const emptyConfig = runtimeConfig(wranglerToml, emptyBundle(config, join(folder, "empty")), {});
      let storages = 0;
      const start = (of: RuntimeConfig) => async () => {
        const storage = join(folder, `storage-${storages++}`);
        mkdirSync(storage);
        const runtime = await startRuntime(of, null, storage, 0, () => {});
        await (await fetch(new URL("/healthz", await runtime.ready))).arrayBuffer();
        return runtime;
      };
      const rounds: { readonly ours: WorkerdCpu; readonly empty: WorkerdCpu }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        rounds.push({ empty: await cpuOfStart(start(emptyConfig)), ours: await cpuOfStart(start(config)) });
      }
      const empty = Math.round(median(rounds.map((round) => round.empty.all)));
      const whole = Math.round(median(rounds.map((round) => round.ours.all)));
      const main = Math.round(
        median(rounds.map((round) => round.ours.main)) - median(rounds.map((round) => round.empty.main)),
      );
      const milliseconds = whole - empty;
      log(`workerd: ${whole} ms of CPU, with an empty Worker ${empty} ms`);
      log(`of the ${milliseconds} ms between them, ${main} on the thread that runs JavaScript`);
      const ratio = milliseconds / BUDGET_MS;
      const figures = { milliseconds, main_milliseconds: main, empty_milliseconds: empty };
      return { ratio, budget: 1, ok: ratio <= 1, topics, ...figures };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** A Worker that does nothing, in a folder of its own, with the Durable Object classes that the bindings want. */
function emptyBundle({ worker }: RuntimeConfig, outdir: string): Pick<Bundle, "outdir" | "modules"> {
  const bindings: Readonly<Record<string, { readonly className: string }>> = worker["durableObjects"] ?? {};
  const classes = Object.values(bindings).map(({ className }) => className);
  const script = [
    'import { DurableObject } from "cloudflare:workers";',
    ...classes.map((name) => `export class ${name} extends DurableObject {}`),
    "export default { fetch: () => new Response(null) };",
  ];
  mkdirSync(outdir);
  const path = join(outdir, "worker.js");
  writeFileSync(path, script.join("\n"));
  return { outdir, modules: [{ type: "ESModule", path }] };
}

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
  const contract = withoutGoldChecks(readFileSync(join(to, "contracts/orders.yaml"), "utf8"));
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

/** The copies feed no gold table, so their contracts cannot speak of one. */
function withoutGoldChecks(yaml: string): string {
  const document = parseDocument(yaml);
  const checks = document.getIn(["schema", 0, "quality"]);
  if (!isSeq(checks)) throw new Error("the contract of orders has no quality checks");
  checks.items = checks.items.filter((check) => !JSON.stringify(check).includes('"value":"gold"'));
  return String(document);
}
