/** `npm run demo`: real events with faults in them through every component, into gold tables that DuckDB reads. */
import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { buildBundle } from "../build/bundle.ts";
import { integerFlag, parseCommandLine, runCommand } from "../command-line.ts";
import { openLake } from "../lake/open.ts";
import { formatResult } from "../lake/result-format.ts";
import { bindingsSource } from "../lake/source.ts";
import { needBuilder, startBuilderProcess } from "../local-platform/builder-process.ts";
import type { Platform } from "../local-platform/platform.ts";
import { createProgressBar } from "../progress.ts";
import { type Check, runChecks } from "./checks.ts";
import { expectationsOf } from "./expectations.ts";
import { settle, standing } from "./settle.ts";

const root = resolve(import.meta.dirname, "../..");

const HELP = `npm run demo -- [flags]

Starts the platform on this machine, sends simulated events with faults in them, waits until they are in gold, reads the published
Parquet with DuckDB and checks the numbers. Running it again adds to the same lake; npm run reset empties it.

  --events N    how many events (default 20000; from 2000 on every error type occurs)
  --seed S      of the simulators (default 1): the same seed makes the same shop
  --port N      for the gateway (default 0: any free one)
  --state DIR   where the platform keeps its state (default .sluice)
  --no-builder  starts no native builder: models that only DuckDB builds are not built, and the demo waits for them in vain
  --help        this text
`;

const SETTLE_MS = 120_000;
/** The events of the last 20 hours: they fall on two dates, and late ones on older. */
const WINDOW_MS = 20 * 3_600_000;

await runCommand(async (argv) => {
  const { values } = parseCommandLine(argv, {
    options: {
      events: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      port: { type: "string", default: "0" },
      state: { type: "string", default: ".sluice" },
      "no-builder": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const events = integerFlag("events", values.events, 1, 10_000_000);
  const seed = integerFlag("seed", values.seed, 0, 2_147_483_647);
  const port = integerFlag("port", values.port, 0, 65_535);

  console.log("1. The bundle that wrangler would deploy");
  const bundle = await buildBundle({ root, outdir: "dist" });
  console.log(`   ${bundle.built ? "built" : "unchanged"}: ${relative(process.cwd(), bundle.outdir)}`);

  const { startPlatform } = await import("../local-platform/platform.ts");
  const errors: string[] = [];
  const platform = await startPlatform({
    root,
    bundle,
    stateDir: values.state,
    port,
    edge: availableParallelism() > 1,
    planEverySeconds: 1,
    onWorkerLog: ({ level, message }) => {
      if (level === "error") errors.push(message);
    },
  });
  const { models } = await import("../../lakehouse/tables/compiled/models.generated.ts");
  const builder =
    !values["no-builder"] && needBuilder(models)
      ? startBuilderProcess({
          ...{ url: platform.url, apiKey: platform.apiKey, dir: platform.state.builder },
          log: (line) => errors.push(`builder: ${line}`),
        })
      : undefined;
  try {
    const checks = await demonstrate(platform, events, seed);
    for (const message of errors.slice(0, 5)) console.log(`   worker error: ${message.slice(0, 400)}`);
    report(checks, values.state);
  } finally {
    await builder?.stop();
    await platform.stop();
  }
});

async function demonstrate(platform: Platform, events: number, seed: number): Promise<Check[]> {
  console.log(`2. The platform, in workerd on this machine: ${platform.url}`);
  const { simulate } = await import("../../producers/simulators/plan.ts");
  const { sendSimulated } = await import("../../producers/simulators/send.ts");
  const { SIMULATED_TOPICS } = await import("../../producers/simulators/shop.ts");
  const { models } = await import("../../lakehouse/tables/compiled/models.generated.ts");

  const before = await standing(platform);
  const startedAt = new Date();
  const planned = [...simulate({ seed, events, startMs: startedAt.getTime() - WINDOW_MS, endMs: startedAt.getTime() })];
  const expectations = expectationsOf(planned);
  console.log(
    `   ${planned.length} events planned: ${expectations.rejected} faults, ${expectations.duplicates} producer retries, ${expectations.late} late`,
  );

  console.log("3. Producers POST them over HTTP");
  const sending = createProgressBar("   sent ", planned.length);
  const sendStart = performance.now();
  const sent = await sendSimulated({
    baseUrl: platform.url,
    apiKey: platform.apiKey,
    events: planned,
    onProgress: (progress) => sending.update(progress.accepted + progress.rejected),
  });
  sending.finish();
  const seconds = (performance.now() - sendStart) / 1_000;
  const latency =
    sent.latencyMs === null
      ? ""
      : `, request p50 ${sent.latencyMs.p50.toFixed(0)} ms, p99 ${sent.latencyMs.p99.toFixed(0)} ms`;
  console.log(
    `   ${sent.accepted} accepted, ${sent.rejected} rejected in ${seconds.toFixed(1)} s (${Math.round(planned.length / seconds)} events/s${latency})`,
  );
  for (const mismatch of sent.mismatches.slice(0, 5))
    console.log(`   label not met: ${JSON.stringify(mismatch).slice(0, 300)}`);

  console.log("4. Queues, buffers, bronze, silver, gates, gold");
  const target = before.appended + sent.accepted + sent.rejected;
  const settling = createProgressBar("   built", target);
  const settleStart = performance.now();
  const end = await settle(platform, target, SETTLE_MS, (now) => {
    // A tenth of the bar is kept for the builds that follow the last row's arrival in bronze.
    settling.update(
      now.unbuilt === 0 ? now.bronzeRows : now.bronzeRows * 0.9,
      `${now.bronzeRows} bronze rows, ${now.unbuilt} partitions to build`,
    );
  });
  settling.finish();
  console.log(`   settled in ${((performance.now() - settleStart) / 1_000).toFixed(1)} s`);
  for (const failure of end.failed) console.log(`   failed: ${failure}`);

  console.log("5. Gold, read from the published Parquet by DuckDB");
  const lake = await openLake({ source: bindingsSource(platform.db, platform.lake), cacheDir: platform.state.cache });
  try {
    // Models over topics that nobody sent to have no table yet.
    const there = new Set(lake.views.map((view) => view.name));
    const built = models.filter((model) => model.inputs.every((input) => there.has(input.table)));
    for (const model of built) await show(lake.connection, model.name, model.key);
    return await runChecks({
      expectations,
      report: sent,
      standing: end,
      connection: lake.connection,
      models: built,
      topics: SIMULATED_TOPICS,
      startedAt: startedAt.toISOString(),
    });
  } finally {
    lake.close();
  }
}

async function show(connection: DuckDBConnection, table: string, key: readonly string[]): Promise<void> {
  const rows = 8;
  const latest = `SELECT * FROM ${table} ORDER BY ${key.map((name) => `${name} DESC`).join(", ")} LIMIT ${rows}`;
  // A column per error type makes a wide table: those that are 0 throughout would push the rest off the screen.
  const all = (await connection.runAndReadAll(latest)).getRowObjects();
  const shown = Object.keys(all[0] ?? {}).filter((name) => !all.every((row) => row[name] === 0n));
  const hidden = Object.keys(all[0] ?? {}).length - shown.length;
  const result = await connection.runAndReadAll(
    shown.length === 0 ? latest : `SELECT ${shown.join(", ")} FROM (${latest})`,
  );
  console.log(
    `\n   ${table}: the latest ${rows} rows at most${hidden === 0 ? "" : `, without ${hidden} columns that are 0 in all of them`}`,
  );
  console.log(formatResult(result, "table"));
}

function report(checks: readonly Check[], state: string): void {
  console.log("\n6. Checks: each number obtained in two ways");
  const width = Math.max(...checks.map((check) => check.name.length));
  for (const { name, expected, actual } of checks) {
    console.log(
      `   ${expected === actual ? "✓" : "✗"} ${name.padEnd(width)}  ${String(expected).padStart(8)} = ${actual}`,
    );
  }
  const passed = checks.filter((check) => check.expected === check.actual).length;
  const flag = state === ".sluice" ? "" : ` --state ${state}`;
  console.log(
    `\nLook around: npm run query --${flag} "SELECT * FROM daily_order_revenue"   or keep it running: npm run dev`,
  );
  console.log(`${passed}/${checks.length} checks passed`);
  if (passed < checks.length) process.exitCode = 1;
}
