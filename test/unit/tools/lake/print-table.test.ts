import { expect, it } from "vitest";
import { printTable } from "../../../../tools/lake/print-table.ts";

it("aligns texts to the left and numbers to the right", () => {
  const columns = [
    { name: "topic", numeric: false },
    { name: "n", numeric: true },
    { name: "note", numeric: false },
  ];
  const rows = [
    ["orders", "12", null],
    ["clickstream", "7", "ä"],
  ];
  expect(printTable(columns, rows)).toEqual([
    "topic         n  note",
    "───────────  ──  ────",
    "orders       12  NULL",
    "clickstream   7  ä",
  ]);
});

it("cuts long values and shows no control character", () => {
  const columns = [{ name: "x", numeric: false }];
  const [, , long, control] = printTable(columns, [["y".repeat(100)], ['a\n\u001b[2J"b\\c\u009b']]);
  expect(long).toBe(`${"y".repeat(59)}…`);
  expect(control).toBe('a\\n\\u001b[2J"b\\c?');
});

it("prints the header of an empty result", () => {
  expect(printTable([{ name: "a", numeric: true }], [])).toEqual(["a", "─"]);
});
