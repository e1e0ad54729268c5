import { expect, test } from "vitest";
import { parseYaml } from "../../../../tools/build/contracts/yaml-document.ts";

const problemsOf = (text: string) => parseYaml("contracts/orders.yaml", text).problems;

test("a file that is too large is a problem of the file, not parsed", () => {
  const text = `a: "${"x".repeat(1_100_000)}"`;
  expect(problemsOf(text)).toEqual([
    {
      file: "contracts/orders.yaml",
      line: 1,
      message: `the file has ${text.length} characters: expected at most 1000000`,
    },
  ]);
  expect(problemsOf("a: 1")).toEqual([]);
});

test("aliases that multiply beyond measure are a problem, and make no values", () => {
  const names = [..."abcdefghij"];
  const levels = names
    .slice(1)
    .map((name, index) => `${name}: &${name} [${"*".concat(names[index] ?? "", ",").repeat(10)}]`);
  const { problems, value } = parseYaml("contracts/orders.yaml", `a: &a [x,x,x,x,x,x,x,x,x,x]\n${levels.join("\n")}`);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.message).toMatch(/alias.*write the values out/);
  expect(value).toBeUndefined();
});
