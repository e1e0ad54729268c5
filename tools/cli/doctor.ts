/** `sluice doctor`: what is wrong with this checkout or machine, and what to do about it. */
import { resolve } from "node:path";
import { parseCommandLine } from "../command-line.ts";
import { projectWrangler } from "../provision/wrangler.ts";
import type { Command } from "./command.ts";
import { doctorChecks } from "./doctor/checks.ts";
import { examine, type Finding, renderFinding } from "./doctor/examine.ts";

const HELP = `sluice doctor

Looks at this checkout and machine: Node, installed packages, package-lock.json, contracts and generated files, wrangler.toml,
ports, state folder, wrangler's login. Says what to do about each; exit code 1 if something is wrong.`;

const LOGIN_TIMEOUT_MS = 15_000;

export const command: Command = {
  summary: "checks this checkout and machine, and says what to do",
  help: HELP,
  async run(argv) {
    parseCommandLine(argv, { options: {} });
    const root = resolve(import.meta.dirname, "../..");
    const wrangler = projectWrangler(root, LOGIN_TIMEOUT_MS);
    const findings: Finding[] = [];
    for await (const finding of examine(doctorChecks({ root, nodeVersion: process.versions.node, wrangler }))) {
      findings.push(finding);
      console.log(renderFinding(finding));
    }
    const bad = findings.filter(({ state }) => state === "wrong").length;
    console.log(bad === 0 ? "\nNothing is wrong." : `\n${bad} of ${findings.length} checks found something wrong.`);
    if (bad > 0) process.exitCode = 1;
  },
};
