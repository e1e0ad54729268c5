/** A platform that is there to be killed, with everything that it started. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Plan } from "./faults/plans.ts";

/** The Worker with faulty bindings, as `buildBundle` takes it. */
export const FAULTS_BUNDLE = { outdir: "dist/faults", entry: "tools/chaos/faults/worker.ts" } as const;

/** Over wrangler.toml's: flushes every second, and builds of many small steps, so that kills fall into them. */
export const CHAOS_VARS = { FLUSH_AGE_SECONDS: "1", BUILD_STEP_ROWS: "500" } as const;

export interface Victim {
  /** Where its gateway listens, without a slash at the end. */
  readonly url: string;
  /** `kill -9` of the process group: Node and workerd end in the same moment. Doing so twice does nothing. */
  kill(): void;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
}

/**
 * Starts a platform on a state folder, as the leader of its own process group, and with an edge where asked for: what happens there
 * has no faults. `onFault` hears of every fault (`<call> <fault>`).
 */
export async function startVictim(
  stateDir: string,
  { edge }: { readonly edge: boolean },
  onFault: (fault: string) => void,
): Promise<Victim> {
  const script = join(import.meta.dirname, "run-platform.ts");
  const child = spawn(process.execPath, [script, stateDir, ...(edge ? ["--edge"] : [])], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const gone = once(child, "exit").then(() => {});
  let alive = true;
  void gone.then(() => {
    alive = false;
  });
  const url = await urlOf(child, onFault);
  return {
    url,
    gone,
    kill() {
      if (alive && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      alive = false;
    },
  };
}

/** Arms the faulty bindings of a platform at `url`; what was armed before is forgotten. */
export async function armFaults(url: string, plans: Readonly<Record<string, Plan>>): Promise<void> {
  const response = await fetch(`${url}/__faults`, { method: "POST", body: JSON.stringify(plans) });
  if (!response.ok) throw new Error(`arming faults was answered ${response.status}: ${await response.text()}`);
}

/** The fault that a line of the Worker's log tells of. */
export function readFault(line: string): string | undefined {
  return line.startsWith("FAULT ") ? line.slice("FAULT ".length) : undefined;
}

/** Its URL, from the first line that says so. Throws with all that it wrote when it ends before. */
function urlOf(child: ChildProcess, onFault: (fault: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const read = (line: string) => {
      const fault = readFault(line);
      if (fault !== undefined) return onFault(fault);
      output = `${output}${line}\n`.slice(-10_000);
      if (line.startsWith("URL ")) resolve(line.slice("URL ".length));
    };
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", read);
    }
    child.once("exit", (code) => reject(new Error(`the platform ended with ${code}:\n${output}`)));
  });
}
