/** `npm run reset`: removes the local platform's state. It asks nothing: the data is local and was made here. */
import { relative, resolve } from "node:path";
import { parseCommandLine, runCommand } from "../command-line.ts";
import { removeState, stateFolder } from "../local-platform/state.ts";

const HELP = `npm run reset -- [flags]

Removes everything that the local platform stored: events, tables, catalog, buffers, and the copies that queries made.
Refuses while a platform runs on it, and a folder that is not a platform's state.

  --state DIR   the platform's state folder (.sluice)
  --help        this text`;

const root = resolve(import.meta.dirname, "../..");

await runCommand(async (argv) => {
  const { values } = parseCommandLine(argv, {
    options: { state: { type: "string", default: ".sluice" }, help: { type: "boolean", default: false } },
  });
  if (values.help) return console.log(HELP);
  const folder = stateFolder(resolve(root, values.state));
  const name = relative(process.cwd(), folder.dir) || folder.dir;
  console.log(
    removeState(folder) ? `Removed ${name}: the local lake is empty.` : `Nothing to remove: ${name} is empty.`,
  );
});
