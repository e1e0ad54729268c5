/**
 * Random schedules of the buffer's machine. The model and its judge are a property test
 * (test/property/topic-buffer-machine.property.test.ts); this runs it for longer, in portions of one seed each.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface SchedulesReport {
  readonly schedules: number;
  /** What the schedules met, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** What vitest printed of the portion that failed, with its seed; null: none failed. */
  readonly failure: string | null;
}

const TEST = "test/property/topic-buffer-machine.property.test.ts";
/** A portion takes some half a minute: progress is seen, and a start of vitest does not count. */
const PORTION = 1_000;
const LAST_LINES = 60;

/** Runs the model check of the tree at `root`; the first portion has the seed itself. Stops at the first failure. */
export async function runSchedulesPhase(
  root: string,
  schedules: number,
  seed: number,
  onProgress: (done: number) => void = () => {},
): Promise<SchedulesReport> {
  const faults: Record<string, number> = {};
  let done = 0;
  for (let portion = 0; done < schedules; portion++) {
    const size = Math.min(PORTION, schedules - done);
    const result = await runPortion(root, size, seed + portion);
    if (result.failure !== null) return { schedules: done, faults, failure: result.failure };
    for (const [kind, n] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + n;
    done += size;
    onProgress(done);
  }
  return { schedules: done, faults, failure: null };
}

async function runPortion(
  root: string,
  schedules: number,
  seed: number,
): Promise<Pick<SchedulesReport, "faults" | "failure">> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-schedules-"));
  const counts = join(folder, "counts.json");
  try {
    const { code, output } = await runVitest(root, {
      SCHEDULES: String(schedules),
      FC_SEED: String(seed),
      SCHEDULE_COUNTS: counts,
    });
    if (code !== 0) {
      return { faults: {}, failure: `seed ${seed}:\n${output.trim().split("\n").slice(-LAST_LINES).join("\n")}` };
    }
    return { faults: numbersOf(JSON.parse(readFileSync(counts, "utf8"))), failure: null };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runVitest(
  root: string,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; output: string }> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
  // Its own reporter: the configured one writes the report of the whole suite.
  const child = spawn(process.execPath, [vitest, "run", "--project", "pure", TEST, "--reporter=default"], {
    cwd: root,
    env: { ...process.env, ...env, NO_COLOR: "1", FORCE_COLOR: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output = (output + text).slice(-100_000);
    });
  }
  const code = await new Promise<number | null>((settled, failed) => {
    child.on("error", failed);
    child.on("close", settled);
  });
  return { code, output };
}

function numbersOf(value: unknown): Record<string, number> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, n]) => typeof n === "number"));
}
