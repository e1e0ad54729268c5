/** A platform that is there to be killed, with everything that it started. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Victim {
  /** Where its gateway listens, without a slash at the end. */
  readonly url: string;
  /** Arms its faulty bindings (faults/plans.ts). */
  arm(plans: Readonly<Record<string, unknown>>): Promise<void>;
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
    async arm(plans) {
      const response = await fetch(`${url}/__faults`, { method: "POST", body: JSON.stringify(plans) });
      if (!response.ok) throw new Error(`arming faults was answered ${response.status}: ${await response.text()}`);
    },
    kill() {
      if (alive && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      alive = false;
    },
  };
}

/** Its URL, from the first line that says so. Throws with all that it wrote when it ends before. */
function urlOf(child: ChildProcess, onFault: (fault: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const read = (line: string) => {
      if (line.startsWith("FAULT ")) return onFault(line.slice("FAULT ".length));
      output = `${output}${line}\n`.slice(-10_000);
      if (line.startsWith("URL ")) resolve(line.slice("URL ".length));
    };
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", read);
    }
    child.once("exit", (code) => reject(new Error(`the platform ended with ${code}:\n${output}`)));
  });
}
