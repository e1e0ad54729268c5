/** `npm run compile`: contracts, schemas and models to the modules that the Worker imports (compile.ts), if they changed since the last time. */
import { resolve } from "node:path";
import { compilerInputs, isCompiled, noteCompiled } from "./compiled-stamp.ts";
import { BuildError } from "./problem.ts";

const root = resolve(import.meta.dirname, "../..");
const inputs = compilerInputs(root);
if (!isCompiled(root, inputs)) {
  // Loaded here: the compilers and DuckDB take longer to load than everything else here takes.
  const { compileProject } = await import("./compile.ts");
  try {
    await compileProject(root);
    noteCompiled(root, inputs);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    console.error(`\n${error.problems.length} problem${error.problems.length === 1 ? "" : "s"}: nothing was compiled.`);
    process.exitCode = 1;
  }
}
