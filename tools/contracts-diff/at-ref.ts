/** The contracts as they stand at a commit of git. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type CompiledContracts, compileContracts } from "../build/compile.ts";
import { CommandProblem } from "../command-problem.ts";

const SOURCES = /^(contracts\/[^/]+\.yaml|schemas\/releases\.json|schemas\/[^/]+\/v\d+\.avsc)$/;

/** Compiles the contracts of `ref` under `root`, which may be below the repository's top. Throws CommandProblem (USAGE) for an unknown ref. */
export function contractsAtRef(root: string, ref: string): CompiledContracts {
  const commit = git(root, ref, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`]).trim();
  const files = git(root, ref, ["ls-tree", "-r", "--name-only", "-z", commit, "contracts", "schemas"]).split("\0");
  const sources = files.filter((file) => SOURCES.test(file));
  if (!sources.includes("schemas/releases.json"))
    throw new CommandProblem("USAGE", `There are no contracts and schemas at ${ref}.`);
  const folder = mkdtempSync(join(tmpdir(), "sluice-contracts-"));
  try {
    for (const file of sources) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), git(root, ref, ["show", `${commit}:./${file}`]));
    }
    return compileContracts(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function git(root: string, ref: string, args: readonly string[]): string {
  try {
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new CommandProblem("USAGE", `git does not know ${ref} here (git ${args[0]} failed).`, { cause: error });
  }
}
