import { EventEmitter } from "node:events";
import { expect, it, vi } from "vitest";
import { onStopSignals } from "../../../../tools/local-platform/signals.ts";

it("the first signal drains, a later one ends, and one key press that arrives twice is one", () => {
  const source = new EventEmitter();
  const others = vi.fn();
  source.on("SIGINT", others);
  const [first, second] = [vi.fn(), vi.fn()];
  let now = 0;
  onStopSignals(first, second, source, () => now);
  source.emit("SIGINT");
  now = 20;
  source.emit("SIGTERM");
  expect(first).toHaveBeenCalledTimes(1);
  expect(second).not.toHaveBeenCalled();
  now = 1_000;
  source.emit("SIGINT");
  expect(first).toHaveBeenCalledTimes(1);
  expect(second).toHaveBeenCalledTimes(1);
  expect(others).not.toHaveBeenCalled();
});
