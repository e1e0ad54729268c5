/** `sluice builder`: builds with DuckDB, on this machine, what the platform's isolates cannot (docs/native-builder.md). */
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { onStopSignals } from "../local-platform/signals.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import { defaultOptions, memoryFlag } from "./builder/flags.ts";
import { holdFolder } from "./builder/folder.ts";
import { asProblem } from "./builder/problem.ts";
import { jsonReport, personReport } from "./builder/reports.ts";
import type { Command } from "./command.ts";

const HELP = `sluice builder --url URL [--key-file FILE] [--once] [--memory 2GB] [--threads N] [--dir DIR] [--cache 4GB] [--name NAME]

Asks the platform for partitions that DuckDB is to build, builds and publishes them, and asks again, until Ctrl-C, which gives a
partition that is under way back. It only calls the platform, so it runs on any machine, and several share the work.

  --once                    ends when nothing waits
  --memory SIZE             what DuckDB may hold in memory, such as 2GB (half of this machine's); the process takes some 150 MB more
  --threads N               threads of DuckDB (as many as this machine has)
  --dir DIR                 inputs, spilled data and outputs stand there (~/.cache/sluice-builder); each builder has its own
  --cache SIZE              inputs of earlier builds are kept up to so much (4GB)
  --name NAME               by which the platform shows it (this machine's name)
  --json                    one JSON line a build; so it is where the output is no terminal
${platformHelp("a key with the scope *:build", 28)}`;

export const command: Command = {
  summary: "builds what DuckDB is to build, until Ctrl-C",
  help: HELP,
  async run(argv) {
    const { values } = parseCommandLine(argv, {
      options: {
        once: { type: "boolean", default: false },
        memory: { type: "string" },
        threads: { type: "string" },
        dir: { type: "string" },
        cache: { type: "string" },
        name: { type: "string" },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const given = defaultOptions();
    const options = {
      ...platformOf(values),
      once: values.once,
      name: (values.name ?? given.name).slice(0, 100) || given.name,
      memoryBytes: values.memory === undefined ? given.memoryBytes : memoryFlag("memory", values.memory),
      threads: values.threads === undefined ? given.threads : integerFlag("threads", values.threads, 1, 1_024),
      dir: values.dir ?? given.dir,
      cacheBytes: values.cache === undefined ? given.cacheBytes : memoryFlag("cache", values.cache),
    };
    using _folder = holdFolder(options.dir);
    const stop = new AbortController();
    // The second one does not wait for the platform: the lease ends by itself.
    onStopSignals(
      () => stop.abort(),
      () => process.exit(130),
    );
    // A local platform that started it is gone.
    process.once("disconnect", () => stop.abort());
    const report = values.json || process.stdout.isTTY !== true ? jsonReport() : personReport(options);
    const { runBuilder } = await import("../../builder/run-builder.ts");
    try {
      await runBuilder(options, report, stop.signal);
    } catch (error) {
      throw asProblem(error);
    } finally {
      if (process.connected) process.disconnect();
    }
  },
};
