/** `npm run fuzz`: mutated bodies against a platform of their own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildBundle } from "../build/bundle.ts";
import { integerFlag, parseCommandLine, runCommand } from "../command-line.ts";
import { createProgressBar } from "../progress.ts";
import type { FuzzReport } from "./fuzz.ts";

const root = resolve(import.meta.dirname, "../..");

const HELP = `npm run fuzz -- [flags]

Starts a platform with a state of its own, posts mutated bodies of every topic and form, and then looks for every accepted event in
bronze, for every refused one in the dead letters, and for personal data everywhere.

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
  const logs: string[] = [];
  const errors: string[] = [];
  const platform = await startPlatform({
    root,
    bundle,
    stateDir: join(folder, "state"),
    port: 0,
    crons: "manual",
    vars: { FLUSH_AGE_SECONDS: "3" },
    onWorkerLog: ({ level, message }) => {
      logs.push(message);
      if (level === "error") errors.push(message);
    },
  });
  try {
    const progress = createProgressBar("sent", bodies);
    const log = (line: string) => console.log(line);
    const onProgress = (done: number) => progress.update(done);
    const report = await fuzz(platform, {
      seed,
      bodies,
      first,
      concurrency,
      now: Date.now(),
      logs,
      errors,
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

function print(report: FuzzReport, seed: number, bodies: number): void {
  const { failures, statuses, errorTypes, accepted, deadLetters, seconds } = report;
  for (const [status, times] of [...statuses].sort()) console.log(`${String(times).padStart(9)}  ${status}`);
  for (const [type, times] of [...errorTypes].sort()) console.log(`${String(times).padStart(9)}  ${type}`);
  for (const { index, what } of failures.slice(0, 50)) {
    console.log(index === null ? `FAILED  ${what}` : `FAILED  --seed ${seed} --first ${index} --bodies 1  ${what}`);
  }
  const ok = failures.length === 0;
  const figures = { bodies, seed, accepted, dead_letters: deadLetters, failures: failures.length, seconds };
  console.log(JSON.stringify({ bench: "fuzz", ok, ...figures }));
  if (!ok) process.exitCode = 1;
}
