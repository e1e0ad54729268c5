/** What a builder's flags come to. */
import { availableParallelism, homedir, hostname, totalmem } from "node:os";
import { join } from "node:path";
import { type BuilderOptions, bytesOf, LEAST_MEMORY_BYTES } from "../../../builder/options.ts";
import { CommandProblem } from "../../command-problem.ts";

const CACHE_BYTES = 4e9;

/** What holds for flags that are not given. */
export function defaultOptions(): Pick<BuilderOptions, "name" | "memoryBytes" | "threads" | "dir" | "cacheBytes"> {
  // A container's limit, where there is one: what the machine has is not this process's.
  const limit = process.constrainedMemory() || totalmem();
  return {
    name: hostname(),
    memoryBytes: Math.max(LEAST_MEMORY_BYTES, Math.floor(Math.min(limit, totalmem()) / 2)),
    threads: availableParallelism(),
    dir: join(homedir(), ".cache", "sluice-builder"),
    cacheBytes: CACHE_BYTES,
  };
}

/** The bytes that a flag gives. Throws CommandProblem (USAGE). */
export function memoryFlag(flag: "memory" | "cache", text: string): number {
  const bytes = bytesOf(text);
  const least = flag === "memory" ? LEAST_MEMORY_BYTES : 0;
  if (bytes === undefined)
    throw new CommandProblem("USAGE", `--${flag} takes a size such as 2GB or 512MB, not "${text}".`);
  if (bytes < least) throw new CommandProblem("USAGE", `--${flag} takes ${least / 1e6}MB at the least, not "${text}".`);
  return bytes;
}
