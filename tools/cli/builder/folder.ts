import { join, resolve } from "node:path";
import { CommandProblem } from "../../command-problem.ts";
import { tryLock } from "../../process-lock.ts";

/** Holds the folder for this process: another builder would remove what this one is writing. Throws CommandProblem (IN_USE). */
export function holdFolder(dir: string): Disposable {
  const attempt = tryLock(join(dir, "in-use.json"), "builder");
  if (!attempt.acquired) {
    throw new CommandProblem(
      "IN_USE",
      `A builder (process ${attempt.holder.pid}) works in ${resolve(dir)}. Give each builder a folder of its own with --dir.`,
    );
  }
  return { [Symbol.dispose]: () => attempt.lock.release() };
}
