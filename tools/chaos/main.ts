/** `npm run chaos`: random schedules of the buffer's machine, then the real bundle under faults and kills. */
import { resolve } from "node:path";
import { integerFlag, parseCommandLine, runCommand } from "../command-line.ts";
import { createProgressBar } from "../progress.ts";
import { runMutations } from "./mutations/run.ts";
import { runPlatformPhase } from "./platform-phase.ts";
import { isOk, printReport } from "./report.ts";
import { runSchedulesPhase } from "./schedules-phase.ts";

const root = resolve(import.meta.dirname, "../..");

const HELP = `npm run chaos -- [flags]

Plays random schedules against the buffer's machine (crashes, duplicates, lost answers, lost alarms, resets), then runs the real bundle
with faulty bindings, a queue that repeats and reorders, builders that vanish in the middle of a step, and kill -9 of the whole process
group, and at last compares what the senders were promised with what DuckDB finds in bronze, and silver and gold with DuckDB's answers.
docs/chaos.md says what is injected and how to read the report.

  --schedules N          schedules of the machine (default 2000)
  --kills N              lives of the platform, each ended by a kill, every other one in the middle of a build (default 10)
  --seconds N            no new life after so many seconds (default 0: no bound)
  --events-per-second N  what the senders try to send (default 3000)
  --seed S               the same seed plays the same schedules and plans the same faults (default 1); when a kill meets the platform
                         is the machine's to say
  --mutations            instead: break a copy of the sources in one place after another, and demand that a run fails each time
  --help                 this text
`;

await runCommand(async (argv) => {
  const { values } = parseCommandLine(argv, {
    options: {
      schedules: { type: "string", default: "2000" },
      kills: { type: "string", default: "10" },
      seconds: { type: "string", default: "0" },
      "events-per-second": { type: "string", default: "3000" },
      seed: { type: "string", default: "1" },
      mutations: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const schedules = integerFlag("schedules", values.schedules, 0, 10_000_000);
  const kills = integerFlag("kills", values.kills, 1, 100_000);
  const bound = integerFlag("seconds", values.seconds, 0, 1_000_000);
  const eventsPerSecond = integerFlag("events-per-second", values["events-per-second"], 50, 100_000);
  const seed = integerFlag("seed", values.seed, 0, 2_000_000_000);
  if (values.mutations) {
    if (!(await runMutations(root, seed, (line) => console.log(line)))) process.exitCode = 1;
    return;
  }
  const from = performance.now();
  const explored = createProgressBar("schedules", schedules);
  const schedulesReport = await runSchedulesPhase(root, schedules, seed, (done) => explored.update(done));
  explored.finish();
  const lives = createProgressBar("kills", kills);
  const platform = await runPlatformPhase({
    seed,
    kills,
    eventsPerSecond,
    seconds: bound === 0 ? Number.POSITIVE_INFINITY : bound,
    onKill: (done) => lives.update(done),
  });
  lives.finish();
  const seconds = Math.round((performance.now() - from) / 1_000);
  const report = { seed, seconds, schedules: schedulesReport, platform };
  printReport(report, (line) => console.log(line));
  if (!isOk(report)) process.exitCode = 1;
});
