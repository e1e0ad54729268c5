/** The checks of a table that grows, over its new rows: what the rows before them measured is known, and which keys they have. */
import { createHash } from "node:crypto";
import type { Layer } from "../../../contracts/contract.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { requireColumn } from "../../engine/columns/named-columns.ts";
import { type Identities, identitiesOf } from "../../engine/keys/identity.ts";
import { KeySet } from "../../engine/keys/key-set.ts";
import type { RunnableCheck } from "../../tables/compiled/compiled-check.ts";
import type { CheckResult } from "./gate.ts";
import { type Measures, measureName, RunningMeasure } from "./measures.ts";
import { type FailingRows, failingRowsOf, isRowCheck } from "./row-check.ts";

/** Keys that are told apart over the whole table, and the checks of duplicates that count the second ones. */
interface Space {
  readonly columns: readonly string[];
  readonly nullsEqual: boolean;
  readonly measures: RunningMeasure[];
  readonly identities: Identities[];
  /** The numbers of the rows whose key is equal to no other's. */
  readonly apart: Set<number>;
}

export interface Measured {
  /** Rows before included; row numbers count the new rows. */
  readonly results: readonly CheckResult[];
  readonly measures: Measures;
  /** By the name of their space: keys that were not known. */
  readonly keys: ReadonlyMap<string, Identities>;
}

/** Holds the keys of the new rows, and none of the rows. Checks in SQL are no part of it. */
export class RunningChecks {
  readonly #measured: readonly { readonly measure: RunningMeasure; readonly failing: FailingRows | undefined }[];
  readonly #spaces = new Map<string, Space>();
  #rows = 0;

  constructor(checks: readonly RunnableCheck[], layer: Layer, before: Measures) {
    this.#measured = checks.flatMap((check) => {
      if (check.metric === "sql" || check.layer !== layer) return [];
      const measure = new RunningMeasure(check, before);
      if (check.metric === "duplicateValues") this.#spaceOf(check.columns, check.nullsEqual === true).push(measure);
      return [{ measure, failing: isRowCheck(check) ? failingRowsOf(check) : undefined }];
    });
  }

  #spaceOf(columns: readonly string[], nullsEqual: boolean): RunningMeasure[] {
    const id = createHash("sha256")
      .update(JSON.stringify([columns, nullsEqual]))
      .digest("hex")
      .slice(0, 16);
    const space = this.#spaces.get(id) ?? {
      columns,
      nullsEqual,
      measures: [],
      identities: [],
      apart: new Set<number>(),
    };
    this.#spaces.set(id, space);
    return space.measures;
  }

  /** Throws a RangeError when a check names a column that the rows lack. */
  add(rows: Batch): void {
    for (const { measure, failing } of this.#measured) {
      if (measure.check.metric === "duplicateValues") continue;
      const places = failing?.(rows) ?? [];
      measure.add(rows.length, places.length);
      for (const place of places) measure.name(this.#rows + place);
    }
    for (const { columns: names, nullsEqual, identities, apart } of this.#spaces.values()) {
      const columns = names.map((name) => requireColumn(rows, name));
      identities.push(identitiesOf(columns, rows.length));
      if (nullsEqual) continue;
      for (const { nulls } of columns)
        for (let row = 0; row < rows.length; row++) if (nulls?.[row] === 1) apart.add(this.#rows + row);
    }
    this.#rows += rows.length;
  }

  /** Once all rows are added. `known`: the keys of a space that the table has; `seed` as of `KeySet`. */
  async finish(known: (space: string) => AsyncIterable<Identities>, seed: number): Promise<Measured> {
    const keys = new Map<string, Identities>();
    for (const [id, space] of this.#spaces) {
      const { measures, identities, apart } = space;
      const set = new KeySet(this.#rows, seed);
      const slots = identities.map((portion) => set.add(portion));
      for await (const portion of known(id)) set.markKnown(portion);
      const repeated: number[] = [];
      let row = 0;
      for (const portion of slots) {
        for (const slot of portion) {
          if (!apart.has(row)) {
            if (set.isFree(slot)) set.take(slot);
            else repeated.push(row);
          }
          row++;
        }
      }
      for (const measure of measures) {
        measure.add(this.#rows, repeated.length);
        for (const each of repeated) measure.name(each);
      }
      keys.set(id, set.taken());
    }
    return {
      results: this.#measured.map(({ measure }) => measure.result()),
      measures: Object.fromEntries(this.#measured.map(({ measure }) => [measureName(measure.check), measure.tally])),
      keys,
    };
  }
}
