/** `npm run fuzz`: mutated bodies against a platform of their own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildBundle } from "../build/bundle.ts";
import { integerFlag, parseCommandLine, runCommand } from "../command-line.ts";
import { createProgressBar } from "../progress.ts";
import type { FuzzReport } from "./fuzz.ts";
import { watchLog } from "./log-watch.ts";

const root = resolve(import.meta.dirname, "../..");

const HELP = `npm run fuzz -- [flags]

Starts a platform with a state of its own, posts mutated bodies of every topic and form, and then looks for every accepted event in
bronze, for every refused one in the dead letters, and for personal data everywhere. What it must remember of a run lies in a file, so
that memory does not grow with --bodies; the state takes some kilobytes a body in the folder for temporary files.

  --bodies N       how many requests (default 20000)
  --seed S         the same seed makes the same requests, but for their times (default 1)
  --first N        the index of the first request (default 0): with --bodies 1 and a failure's index, that request alone
  --concurrency N  requests at a time (default 32)
  --help           this text
`;

await runCommand(async (argv) => {
  const { values } = parseCommandLine(argv, {
    options: {
      bodies: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      first: { type: "string", default: "0" },
      concurrency: { type: "string", default: "32" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const bodies = integerFlag("bodies", values.bodies, 1, 10_000_000);
  const seed = integerFlag("seed", values.seed, 0, 2_147_483_647);
  const first = integerFlag("first", values.first, 0, 2_147_483_647);
  const concurrency = integerFlag("concurrency", values.concurrency, 1, 1_000);

  const bundle = await buildBundle({ root, outdir: "dist" });
  const { startPlatform } = await import("../local-platform/platform.ts");
  const { fuzz } = await import("./fuzz.ts");
  const folder = mkdtempSync(join(tmpdir(), "sluice-fuzz-"));
  const logWatch = watchLog();
  const platform = await startPlatform({
    root,
    bundle,
    stateDir: join(folder, "state"),
    port: 0,
    crons: "manual",
    vars: { FLUSH_AGE_SECONDS: String(flushAgeSeconds(bodies)) },
    onWorkerLog: logWatch.take,
  });
  try {
    const progress = createProgressBar("sent", bodies);
    const log = (line: string) => console.log(line);
    const started = performance.now();
    const onProgress = (done: number) => {
      const rate = done / ((performance.now() - started) / 1_000);
      progress.update(done, `${Math.round(rate)} bodies/s, ${memoryMb()} MB`);
    };
    const report = await fuzz(platform, {
      seed,
      bodies,
      first,
      concurrency,
      now: Date.now(),
      folder,
      logWatch,
      log,
      onProgress,
    });
    progress.finish();
    print(report, seed, bodies);
  } finally {
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A long run would make tens of thousands of small files at the pace that suits a short one. */
function flushAgeSeconds(bodies: number): number {
  return Math.min(60, Math.max(3, Math.round(bodies / 10_000)));
}

/** Of this process; workerd is another one. */
function memoryMb(): number {
  return Math.round(process.memoryUsage.rss() / 1e6);
}

function print(report: FuzzReport, seed: number, bodies: number): void {
  const { failures, statuses, errorTypes, accepted, deadLetters, seconds } = report;
  for (const [status, times] of [...statuses].sort()) console.log(`${String(times).padStart(9)}  ${status}`);
  for (const [type, times] of [...errorTypes].sort()) console.log(`${String(times).padStart(9)}  ${type}`);
  for (const { index, what } of failures.kept.slice(0, 50)) {
    console.log(index === null ? `FAILED  ${what}` : `FAILED  --seed ${seed} --first ${index} --bodies 1  ${what}`);
  }
  const ok = failures.total === 0;
  const peak = { peak_megabytes: Math.round(process.resourceUsage().maxRSS / 1_000) };
  const figures = { bodies, seed, accepted, dead_letters: deadLetters, failures: failures.total, seconds };
  console.log(JSON.stringify({ bench: "fuzz", ok, ...figures, ...peak }));
  if (!ok) process.exitCode = 1;
}
