import { expect, it } from "vitest";
import { createProgressBar } from "../../../tools/progress.ts";

function output(isTTY: boolean) {
  const writes: string[] = [];
  return { isTTY, columns: 40, write: (text: string) => writes.push(text), writes };
}

it("writes a line every tenth where nothing can be redrawn", () => {
  const out = output(false);
  const bar = createProgressBar("sending", 1_000, out);
  for (let done = 1; done <= 1_000; done++) bar.update(done, `${done} events`);
  bar.finish();
  expect(out.writes).toHaveLength(10);
  expect(out.writes[0]).toBe("sending 10 % 100 events\n");
  expect(out.writes[9]).toBe("sending 100 % 1000 events\n");
});

it("redraws one line on a terminal, not too often, never wrapped", () => {
  const out = output(true);
  let now = 0;
  const bar = createProgressBar("sending", 10, out, () => now);
  bar.update(1);
  bar.update(2);
  now = 200;
  bar.update(3, "a note that is much too long for it");
  bar.finish();
  expect(out.writes).toHaveLength(4);
  const drawn = out.writes.slice(0, 3).map((text) => text.split("\r\u001b[2K"));
  expect(drawn.every(([before, line = ""]) => before === "" && line.length > 0 && line.length <= 39)).toBe(true);
  expect(out.writes[3]).toBe("\n");
});
