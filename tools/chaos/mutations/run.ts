/** Breaks the code in one place after another and demands that a short run fails each time: who watches the watchers. */
import { spawn } from "node:child_process";
import { runSchedulesPhase } from "../schedules-phase.ts";
import { applyMutation, copySources } from "./copy.ts";
import { MUTATIONS, type Mutation } from "./mutations.ts";

const SCHEDULES = 800;
const KILLS = 3;

/** Which part of the run failed, and with what; undefined: none did. */
type Catch = { readonly by: "schedules" | "platform"; readonly saying: string } | undefined;

/**
 * Whether every mutation was caught, and the copy without one passes: a run that fails anyhow catches nothing. The model is asked
 * first, since it is faster; what it does not see, the platform must.
 */
export async function runMutations(root: string, seed: number, print: (line: string) => void): Promise<boolean> {
  const unchanged = await tryCopy(root, seed, undefined);
  const control = unchanged === undefined ? "passes" : `FAILED in the ${unchanged.by}: ${unchanged.saying}`;
  print(`${"no mutation".padEnd(30)}  ${control}`);
  let survived = 0;
  for (const mutation of unchanged === undefined ? MUTATIONS : []) {
    const from = performance.now();
    const caught = await tryCopy(root, seed, mutation);
    const seconds = Math.round((performance.now() - from) / 1_000);
    if (caught === undefined) survived++;
    const verdict = caught === undefined ? "SURVIVED" : `caught by the ${caught.by} in ${seconds} s: ${caught.saying}`;
    print(`${mutation.name.padEnd(30)}  ${verdict}`);
  }
  const ok = unchanged === undefined && survived === 0;
  print(JSON.stringify({ bench: "chaos-mutations", ok, seed, mutations: MUTATIONS.length, survived }));
  return ok;
}

async function tryCopy(root: string, seed: number, mutation: Mutation | undefined): Promise<Catch> {
  using copy = copySources(root);
  if (mutation !== undefined) applyMutation(copy.path, mutation);
  const { failure } = await runSchedulesPhase(copy.path, SCHEDULES, seed);
  if (failure !== null) return { by: "schedules", saying: assertionOf(failure) };
  const { code, output } = await runChaos(copy.path, seed);
  return code === 0 ? undefined : { by: "platform", saying: output.trim().split("\n").at(-1) ?? "" };
}

/** The line of vitest's output that says what did not hold: the cause of fast-check's error, if there is one. */
function assertionOf(failure: string): string {
  const lines = failure.split("\n").map((line) => line.trim());
  const cause = lines.find((line) => line.startsWith("Caused by: "));
  return cause ?? lines.find((line) => /^\w*Error: /.test(line)) ?? lines.at(-1) ?? "";
}

async function runChaos(path: string, seed: number): Promise<{ code: number | null; output: string }> {
  const flags = ["--schedules", "0", "--kills", String(KILLS), "--seed", String(seed)];
  const child = spawn(process.execPath, ["tools/chaos/main.ts", ...flags], {
    cwd: path,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    output = (output + text).slice(-100_000);
  });
  const code = await new Promise<number | null>((settled, failed) => {
    child.on("error", failed);
    child.on("close", settled);
  });
  return { code, output };
}
