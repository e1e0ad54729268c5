/** A command run as `sluice` would, and what it prints. */
import { vi } from "vitest";
import type { Command } from "../../../../tools/cli/command.ts";

/** The lines of standard output; standard error, progress bars included, is dropped. Throws what the command throws. */
export async function printedBy(command: Command, line: string): Promise<string> {
  const printed = vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  printed.mockClear();
  await command.run(line.split(" "));
  return printed.mock.calls.flat().join("\n");
}
