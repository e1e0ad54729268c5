import { expect, test } from "vitest";
import { command } from "../../../../tools/cli/simulate.ts";

test.each([
  [[], /either --all or one --topic/],
  [["--all", "--topic", "orders"], /either --all or one --topic/],
  [["--topic", "dead_letters"], /no simulator of "dead_letters".*order_changes.*sluice send FILE --topic dead_letters/],
  [["--all", "--rate", "0"], /--rate takes a whole number/],
  [["--all", "--duration", "soon"], /--duration takes a whole number/],
  [["--all", "--url", "127.0.0.1:8787"], /--url takes an address such as http/],
  [["--all", "--fast"], /--fast/],
])("sluice simulate %j is refused with what to do", async (argv, message) => {
  await expect(command.run(argv)).rejects.toMatchObject({ code: "USAGE", message: expect.stringMatching(message) });
});
