/** `npm run bench -- NAME`: runs a benchmark and prints its figures; the last line is one JSON object. */

import { runCommand } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import type { Bench } from "./bench.ts";

const BENCHES: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  aggregates: () => import("./aggregates.ts"),
  buffer: () => import("./buffer.ts"),
  build: () => import("./build.ts"),
  "build-day": () => import("./build-day.ts"),
  "build-large": () => import("./build-large.ts"),
  compaction: () => import("./compaction.ts"),
  flush: () => import("./flush.ts"),
  freshness: () => import("./freshness.ts"),
  gateway: () => import("./gateway.ts"),
  ingest: () => import("./ingest.ts"),
  memory: () => import("./memory.ts"),
  native: () => import("./native.ts"),
  startup: () => import("./startup.ts"),
};

await runCommand(async (argv) => {
  const [name, ...args] = argv[0] === "--" ? argv.slice(1) : argv;
  const load = name === undefined ? undefined : BENCHES[name];
  if (load === undefined) {
    throw new CommandProblem(
      "USAGE",
      `npm run bench -- NAME, where NAME is one of: ${Object.keys(BENCHES).join(", ")}.`,
    );
  }
  const { bench } = await load();
  console.log(bench.explanation);
  const result = await bench.run((line) => console.log(`  ${line}`), args);
  console.log(JSON.stringify({ bench: name, ...result }));
  if (!result.ok) process.exitCode = 1;
});
