import { describe, expect, test } from "vitest";
import { decideStep, rowsOfPiece } from "../../../../../lakehouse/builds/planning/splits.ts";
import type { StepSize } from "../../../../../sql/statements/leases.ts";

const STEP_ROWS = 200_000;
const USUAL: StepSize = { vanished: 0, splits: 0, pieces: 0 };
const inSteps = { atOnce: false };

/** Sizes at which builders vanished, until the step is given up. */
function sizesUntilGivenUp(): number[] {
  const sizes: number[] = [];
  let size = USUAL;
  for (;;) {
    const { kind, ...next } = decideStep(size, inSteps);
    if (kind === "give up") return sizes;
    sizes.push(rowsOfPiece(STEP_ROWS, next));
    size = { ...next, vanished: next.vanished + 1 };
  }
}

describe("a step whose builder vanished", () => {
  test("is tried once more as it is, and then its first half", () => {
    expect(decideStep(USUAL, inSteps)).toEqual({ kind: "take", ...USUAL });
    expect(decideStep({ ...USUAL, vanished: 1 }, inSteps)).toEqual({ kind: "take", ...USUAL, vanished: 1 });
    expect(decideStep({ ...USUAL, vanished: 2 }, inSteps)).toEqual({
      kind: "split",
      vanished: 0,
      splits: 1,
      pieces: 2,
    });
  });

  test("is cut again, with the pieces that are left of it cut as well", () => {
    // Of its two halves one was read.
    const half = { vanished: 2, splits: 1, pieces: 1 };
    expect(decideStep(half, inSteps)).toEqual({ kind: "split", vanished: 0, splits: 2, pieces: 2 });
    expect(decideStep({ ...half, pieces: 2 }, inSteps)).toMatchObject({ pieces: 4 });
    // More than two vanished where the one that was to cut it vanished, too.
    expect(decideStep({ ...half, vanished: 3 }, inSteps)).toMatchObject({ kind: "split", splits: 2 });
  });

  test("is given up at some 250 rows, after two at each size", () => {
    const sizes = sizesUntilGivenUp();
    expect(sizes).toHaveLength(22);
    expect([...new Set(sizes)]).toEqual([200_000, 100_000, 50_000, 25_000, 12_500, 6_250, 3_125, 1_563, 782, 391, 196]);
  });

  test("has a row at least, whatever a step has", () => {
    expect(rowsOfPiece(8, { splits: 3 })).toBe(1);
    expect(rowsOfPiece(8, { splits: 10 })).toBe(1);
  });
});

test("a table that is built at once is given up after two, and tried again from there", () => {
  const atOnce = { atOnce: true };
  expect(decideStep({ ...USUAL, vanished: 1 }, atOnce).kind).toBe("take");
  expect(decideStep({ ...USUAL, vanished: 2 }, atOnce)).toEqual({ kind: "give up", ...USUAL });
});
