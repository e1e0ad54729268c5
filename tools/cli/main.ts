#!/usr/bin/env node
/** `npx sluice COMMAND` or `npm run sluice -- COMMAND`: the project's command. A command is loaded when it is called. */

import { runCommand } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import type { Command } from "./command.ts";

const COMMANDS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  backfill: () => import("./backfill.ts"),
  builder: () => import("./builder.ts"),
  contracts: () => import("./contracts.ts"),
  cost: () => import("./cost.ts"),
  "dead-letters": () => import("./dead-letters.ts"),
  doctor: () => import("./doctor.ts"),
  keys: () => import("./keys.ts"),
  ledger: () => import("./ledger.ts"),
  models: () => import("./models.ts"),
  "new-topic": () => import("./new-topic.ts"),
  parked: () => import("./parked.ts"),
  partitions: () => import("./partitions.ts"),
  tables: () => import("./tables.ts"),
  provision: () => import("./provision.ts"),
  runs: () => import("./runs.ts"),
  schemas: () => import("./schemas.ts"),
  simulate: () => import("./simulate.ts"),
  send: () => import("./send.ts"),
  smoke: () => import("./smoke.ts"),
  topics: () => import("./topics.ts"),
  trace: () => import("./trace.ts"),
};

async function help(): Promise<string> {
  const lines = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => `  ${name.padEnd(16)}${(await load()).command.summary}`),
  );
  return `sluice COMMAND [flags]\n\n${lines.join("\n")}\n\nsluice COMMAND --help says more of one. Commands that speak to a platform take --url, and a key from --key-file or SLUICE_KEY (default: the local ones).\nThe platform itself is npm run dev; SQL over its lake is npm run query -- "SQL".`;
}

await runCommand(async (argv) => {
  const [name, ...rest] = argv[0] === "--" ? argv.slice(1) : argv;
  if (name === undefined || name === "--help" || name === "help") return console.log(await help());
  const load = COMMANDS[name];
  if (load === undefined) {
    throw new CommandProblem("USAGE", `There is no command "${name}". There are: ${Object.keys(COMMANDS).join(", ")}.`);
  }
  const { command } = await load();
  if (rest.includes("--help")) return console.log(command.help);
  await command.run(rest);
});
