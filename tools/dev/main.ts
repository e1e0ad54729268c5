/** `npm run dev`: the platform on this machine until Ctrl-C. */
import { createWriteStream } from "node:fs";
import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import { buildBundle } from "../build/bundle.ts";
import { integerFlag, parseCommandLine, runCommand } from "../command-line.ts";
import { builtLine, needBuilder, startBuilderProcess } from "../local-platform/builder-process.ts";
import { isInOwnGroup, onForegroundGone, runInOwnGroup } from "../local-platform/own-process-group.ts";
import { onStopSignals } from "../local-platform/signals.ts";
import { stateFolder } from "../local-platform/state.ts";
import { HELP, welcome } from "./help.ts";

const root = resolve(import.meta.dirname, "../..");

await runCommand(async (argv) => {
  const { values } = parseCommandLine(argv, {
    options: {
      port: { type: "string", default: "8787" },
      state: { type: "string", default: ".sluice" },
      simulate: { type: "boolean", default: false },
      rate: { type: "string", default: "50" },
      "no-builder": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const port = integerFlag("port", values.port, 0, 65_535);
  const rate = integerFlag("rate", values.rate, 1, 100_000);
  const builder = !values["no-builder"];
  if (isInOwnGroup()) await run({ port, stateDir: values.state, rate: values.simulate ? rate : undefined, builder });
  else process.exitCode = await runInOwnGroup(import.meta.filename, argv);
});

interface DevOptions {
  readonly port: number;
  readonly stateDir: string;
  /** Events per second of the simulation; undefined for none. */
  readonly rate: number | undefined;
  /** Whether a native builder runs beside, should a model need one. */
  readonly builder: boolean;
}

async function run({ port, stateDir, rate, builder: wanted }: DevOptions): Promise<void> {
  // While it starts there is nothing to drain.
  let stop: () => void = () => process.exit(1);
  onForegroundGone(() => stop());
  const log = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`);
  log("starting: the bundle, then the platform");
  const bundle = await buildBundle({ root, outdir: "dist" });
  const { startPlatform } = await import("../local-platform/platform.ts");
  const folder = stateFolder(resolve(root, stateDir));
  // Opened with the first line: by then the platform has the folder.
  let workerLog: ReturnType<typeof createWriteStream> | undefined;
  const platform = await startPlatform({
    root,
    bundle,
    stateDir,
    port,
    edge: availableParallelism() > 1,
    log,
    onWorkerLog({ level, message }) {
      workerLog ??= createWriteStream(folder.log);
      workerLog.write(`${message}\n`);
      if (level === "error") log(`worker: ${message}`);
    },
  });

  const { models } = await import("../../lakehouse/tables/compiled/models.generated.ts");
  const builder =
    wanted && needBuilder(models)
      ? startBuilderProcess({
          ...{ url: platform.url, apiKey: platform.apiKey, dir: folder.builder },
          onBuilt: (event) => log(builtLine(event)),
          log: (line) => log(`builder: ${line}`),
        })
      : undefined;
  const simulation = new AbortController();
  stop = () => void drain();
  onStopSignals(stop, () => process.exit(130));
  console.log(
    welcome(
      platform,
      relative(process.cwd(), folder.dir) || folder.dir,
      relative(process.cwd(), folder.log),
      new Date(),
    ),
  );
  if (rate !== undefined) {
    log(`simulating ${rate} events/s on four topics; a line every 10 s`);
    const { simulateLive } = await import("./simulate-live.ts");
    await simulateLive({ baseUrl: platform.url, apiKey: platform.apiKey, rate, signal: simulation.signal, log });
  }

  async function drain(): Promise<void> {
    log(
      "stopping: the queues are emptied first (Ctrl-C again stops at once: what is in them is delivered after the next start)",
    );
    simulation.abort();
    await builder?.stop();
    const result = await platform.drain();
    if (!result.drained)
      log(
        `${result.left ?? "an unknown number of"} messages were still queued: they are delivered after the next start`,
      );
    log("stopped");
    process.exit(result.drained ? 0 : 1);
  }
}
