/** `npm run wrangler:sync` writes the queue sections of wrangler.toml; `--check` only says whether they are in step. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { contracts } from "../../../contracts/registry.ts";
import { parseCommandLine, runCommand } from "../../command-line.ts";
import { CommandProblem } from "../../command-problem.ts";
import { QueueSectionError, syncQueues } from "./queues.ts";

const file = resolve(import.meta.dirname, "../../../wrangler.toml");

await runCommand(async (argv) => {
  const { values } = parseCommandLine(argv, { options: { check: { type: "boolean", default: false } } });
  const toml = readFileSync(file, "utf8");
  const synced = sync(toml);
  if (synced === toml) return;
  if (values.check) {
    throw new CommandProblem(
      "QUEUES_OUT_OF_STEP",
      "The queues in wrangler.toml are not those of contracts/: run `npm run wrangler:sync`, then `npm run types`.",
    );
  }
  writeFileSync(file, synced);
  console.log("wrangler.toml has the contracts' queues now. Run `npm run types` for their bindings.");
});

function sync(toml: string): string {
  try {
    return syncQueues(
      toml,
      contracts.map(({ topic }) => topic),
    );
  } catch (error) {
    if (!(error instanceof QueueSectionError)) throw error;
    throw new CommandProblem("QUEUES_OUT_OF_STEP", error.message, { cause: error });
  }
}
