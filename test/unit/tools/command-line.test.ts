import { expect, it } from "vitest";
import { integerFlag, parseCommandLine } from "../../../tools/command-line.ts";

const syntax = { options: { port: { type: "string", default: "8787" } }, allowPositionals: true } as const;

it("reads flags and arguments, and tolerates npm's second --", () => {
  expect(parseCommandLine(["--", "--port", "1", "SQL"], syntax)).toMatchObject({
    values: { port: "1" },
    positionals: ["SQL"],
  });
});

it("says what is wrong", () => {
  expect(() => parseCommandLine(["--prot", "1"], syntax)).toThrow(/--prot'[\s\S]*--help/);
  expect(() => integerFlag("port", "x", 0, 9)).toThrow('--port takes a whole number from 0 to 9, not "x".');
  expect(() => integerFlag("port", "10", 0, 9)).toThrow();
  expect(integerFlag("port", "9", 0, 9)).toBe(9);
});
