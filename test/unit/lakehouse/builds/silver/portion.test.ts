import fc from "fast-check";
import { expect, test } from "vitest";
import { portionOf } from "../../../../../lakehouse/builds/silver/portion.ts";
import type { BronzeInput } from "../../../../../sql/statements/bronze-inputs.ts";

/** Inputs behind `seen` as `unseenInputs` gives them: as many as have so many rows together, and at least one. */
function unseenOf(inputs: readonly BronzeInput[], seen: number, limitRows: number) {
  const found = inputs.filter(({ registration }) => registration > seen);
  let rows = 0;
  const past = found.findIndex((input, n) => {
    rows += input.rows;
    return n > 0 && rows > limitRows;
  });
  const taken = past < 0 ? found : found.slice(0, past);
  return { inputs: taken, through: taken.at(-1)?.registration ?? seen, more: taken.length < found.length };
}

function inputOf(registration: number, rows: number): BronzeInput {
  const [file, first_row] = [`file-${registration}`, registration * 10];
  return { registration, file, first_row, rows, stored_file: "compacted", stored_row: registration * 1_000 };
}

test("every row is read once and in order, in steps of as many as are allowed, and each file ends once", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
      (sizes, limits) => {
        const inputs = sizes.map((rows, n) => inputOf(n + 1, rows));
        const read: string[] = [];
        const ended: string[] = [];
        let [seen, partRead] = [0, 0];
        for (let step = 0; ; step++) {
          const limit = limits[step % limits.length] ?? 1;
          const portion = portionOf(unseenOf(inputs, seen, limit + partRead), seen, partRead, limit);
          const rows = portion.inputs.flatMap(({ file, first_row, stored_row, rows }) =>
            Array.from({ length: rows }, (_, n) => `${file} ${first_row + n} ${stored_row + n}`),
          );
          expect(rows.length).toBeLessThanOrEqual(limit);
          read.push(...rows);
          ended.push(...portion.ended);
          ({ through: seen, partRead } = portion);
          if (!portion.more) break;
          expect(rows.length).toBeGreaterThan(0);
        }
        expect([partRead, seen]).toEqual([0, inputs.length]);
        expect(ended).toEqual(inputs.map(({ file }) => file));
        expect(read).toEqual(
          inputs.flatMap(({ file, first_row, stored_row, rows }) =>
            Array.from({ length: rows }, (_, n) => `${file} ${first_row + n} ${stored_row + n}`),
          ),
        );
      },
    ),
  );
});

test("a row of silver_progress that says more is read than there is names itself", () => {
  const unseen = unseenOf([inputOf(4, 3)], 3, 10);
  expect(() => portionOf(unseen, 3, 3, 10)).toThrow("3 rows of file-4 are read, which has 3; delete the row");
});
