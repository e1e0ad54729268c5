/**
 * One step of a topic's silver: the new rows of a partition become published rows, quarantined rows and copies. It holds the keys of its
 * rows, never those of the partition: the known ones stream past. Of each key the row of the lowest position wins, so any cut of the same
 * rows into steps gives the same rows.
 *
 * Two passes over the rows: the first reads what decides about them, the second everything, and writes.
 */
import type { BronzeTerms } from "../../../sql/statements/bronze-terms.ts";
import type { Batch, Column, Field } from "../../engine/columns/column.ts";
import { gatherBatch } from "../../engine/columns/gather.ts";
import { requireColumn } from "../../engine/columns/named-columns.ts";
import { release, releaseBatch } from "../../engine/columns/release.ts";
import { type Identities, identitiesOf } from "../../engine/keys/identity.ts";
import { KeySet } from "../../engine/keys/key-set.ts";
import type { TopicTable } from "../../tables/catalog.ts";
import type { CheckResult } from "../gates/gate.ts";
import { type Measures, measureName, RunningMeasure } from "../gates/measures.ts";
import { withReasons } from "../gates/quarantine.ts";
import { type FailingRows, failingRowsOf, isRowCheck } from "../gates/row-check.ts";
import { storedFields } from "./derived.ts";
import { COPY, decideFates, type Fates, KEPT, QUARANTINED, type SpaceKeys } from "./fates.ts";
import { type KeySpace, keySpaces } from "./key-space.ts";
import { TermCounts } from "./term-counts.ts";

/** Where a step's rows come from. */
export interface NewRows {
  readonly count: number;
  /** The rows' numbers, as they are read, in the order of their positions. */
  readonly order: Int32Array;
  /** The same rows in the same order at each call, with exactly `fields`; a batch's arrays need not stand longer than until the next. */
  read(fields: readonly Field[]): AsyncIterable<Batch>;
}

export interface StepInput {
  readonly rows: NewRows;
  /** What the partition knows of a space, in portions of any length and order, each an array of its own: it is freed behind its use. */
  known(space: KeySpace): AsyncIterable<Identities>;
  /** Of the checks with `on_fail: quarantine`, by `measureName`, those whose failing rows are kept out. */
  readonly taking: ReadonlySet<string>;
  /** What earlier steps measured. */
  readonly measures: Measures;
  /** A random 32-bit integer. */
  readonly seed: number;
}

/** They copy what they keep: the rows' arrays are freed behind them. */
export interface StepSinks {
  kept(rows: Batch): Promise<void>;
  /** With `_failed_checks`. */
  quarantined(rows: Batch): Promise<void>;
}

export interface StepOutput {
  readonly kept: number;
  readonly quarantined: number;
  /** Keys that the partition knows from now on. */
  readonly keys: readonly { readonly space: KeySpace; readonly identities: Identities }[];
  /** Earlier steps included. */
  readonly measures: Measures;
  /** Of the library's checks, earlier steps included; row numbers count the step's kept rows, or its quarantined ones. */
  readonly results: readonly CheckResult[];
  /** Where this step's rows went. */
  readonly terms: Omit<BronzeTerms, "topic">;
}

/** Throws what reading and the sinks throw, and a RangeError for a check of a column that the table lacks. */
export async function silverStep(table: TopicTable, input: StepInput, sinks: StepSinks): Promise<StepOutput> {
  const checks = measuredChecks(table, input.measures);
  const { dedupe, others, unsound } = await firstPass(table, checks, input);
  const takes = ({ check }: KeySpace) => check !== undefined && input.taking.has(measureName(check));
  const decided = decideFates(dedupe, others, input.rows.order, unsound, takes);
  const writer = new SecondPass(checks, measureSpaces(checks, decided, unsound), decided.fates, input.taking);
  let first = 0;
  for await (const rows of input.rows.read(storedFields(table))) {
    const { kept, quarantined } = writer.take(rows, first);
    first += rows.length;
    if (kept.length > 0) await sinks.kept(kept);
    if (quarantined.length > 0) await sinks.quarantined(quarantined);
    // Copies of the rows that were read; all of them are the reader's own.
    if (kept.length < rows.length) releaseBatch(kept);
  }
  const spaces = [dedupe, ...others];
  const taken = spaces.map(({ space, keys }) => ({ space, identities: keys.taken() }));
  for (const { keys, slots } of spaces) {
    keys.release();
    release(slots);
  }
  release(unsound);
  release(decided.fates);
  for (const marks of decided.repeated.values()) release(marks);
  return {
    ...writer.totals(),
    keys: taken,
    measures: Object.fromEntries(checks.map(({ measure }) => [measureName(measure.check), measure.tally])),
    results: checks.map(({ measure }) => measure.result()),
  };
}

/** A library check of the table at work; `failing` where it looks at one row at a time. */
interface MeasuredCheck {
  readonly measure: RunningMeasure;
  readonly failing: FailingRows | undefined;
}

function measuredChecks({ checks }: TopicTable, before: Measures): readonly MeasuredCheck[] {
  return checks.flatMap((check) => {
    if (check.metric === "sql") return [];
    const failing = isRowCheck(check) ? failingRowsOf(check) : undefined;
    return [{ measure: new RunningMeasure(check, before), failing }];
  });
}

function keepsRowsOut({ measure, failing }: MeasuredCheck, taking: ReadonlySet<string>): boolean {
  return failing !== undefined && measure.check.onFail === "quarantine" && taking.has(measureName(measure.check));
}

/** The keys of the new rows, which of them the partition has, and the rows that a check of values keeps out. */
async function firstPass(
  table: TopicTable,
  checks: readonly MeasuredCheck[],
  { rows, known, taking, seed }: StepInput,
) {
  const [dedupeSpace, ...otherSpaces] = keySpaces(table);
  const keysOf = (space: KeySpace): SpaceKeys => {
    return { space, keys: new KeySet(rows.count, seed), slots: new Int32Array(rows.count) };
  };
  const dedupe = keysOf(dedupeSpace);
  const others = otherSpaces.map(keysOf);
  const deciding = checks.filter((check) => keepsRowsOut(check, taking));
  const names = new Set([
    ...[dedupeSpace, ...otherSpaces].flatMap(({ columns }) => columns),
    ...deciding.flatMap(({ measure }) => measure.check.columns),
  ]);
  const fields = table.fields.filter(({ name }) => names.has(name));
  const unsound = new Uint8Array(rows.count);
  let first = 0;
  for await (const batch of rows.read(fields)) {
    for (const { space, keys, slots } of [dedupe, ...others]) {
      const columns = space.columns.map((name) => requireColumn(batch, name));
      const identities = identitiesOf(columns, batch.length);
      const own = keys.add(identities);
      if (space.check !== undefined) excludeNulls(columns, own);
      slots.set(own, first);
      release(identities);
      release(own);
    }
    for (const { failing } of deciding) for (const row of failing?.(batch) ?? []) unsound[first + row] = 1;
    first += batch.length;
  }
  for (const { space, keys } of [dedupe, ...others]) {
    for await (const portion of known(space)) {
      keys.markKnown(portion);
      release(portion);
    }
  }
  return { dedupe, others, unsound };
}

/** As in SQL, NULL is equal to nothing, itself included. */
function excludeNulls(columns: readonly Column[], slots: Int32Array): void {
  for (const { nulls } of columns) {
    if (nulls === undefined) continue;
    for (let row = 0; row < slots.length; row++) if (nulls[row] === 1) slots[row] = -1;
  }
}

/** Counts what the spaces found: it is known before a row is read again. */
function measureSpaces(checks: readonly MeasuredCheck[], { fates, repeated }: Fates, unsound: Uint8Array): Marks {
  const marks = new Map<MeasuredCheck, Uint8Array>();
  for (const [{ space }, rows] of repeated) {
    const check = checks.find(({ measure }) => measure.check === space.check);
    if (check === undefined) continue;
    marks.set(check, rows);
    check.measure.add(populationOf(space, fates, unsound), count(rows, 1));
  }
  return marks;
}

/** By check: 1 at the rows that repeat a key. */
type Marks = ReadonlyMap<MeasuredCheck, Uint8Array>;

function populationOf({ population }: KeySpace, fates: Uint8Array, unsound: Uint8Array): number {
  if (population === "bronze") return fates.length;
  if (population === "kept") return count(fates, KEPT);
  let sound = 0;
  for (let row = 0; row < fates.length; row++) if (fates[row] !== COPY && unsound[row] === 0) sound++;
  return sound;
}

function count(values: Uint8Array, wanted: number): number {
  let found = 0;
  for (const value of values) if (value === wanted) found++;
  return found;
}

/** Takes the rows apart by what was decided, and measures over them the checks that look at one row at a time. */
class SecondPass {
  readonly #checks: readonly MeasuredCheck[];
  readonly #marks: Marks;
  readonly #fates: Uint8Array;
  readonly #taking: ReadonlySet<string>;
  readonly #terms = new TermCounts();
  #kept = 0;
  #quarantined = 0;

  constructor(checks: readonly MeasuredCheck[], marks: Marks, fates: Uint8Array, taking: ReadonlySet<string>) {
    this.#checks = checks;
    this.#marks = marks;
    this.#fates = fates;
    this.#taking = taking;
  }

  /** `first`: the number of the batch's first row among the step's. */
  take(rows: Batch, first: number): { readonly kept: Batch; readonly quarantined: Batch } {
    const fates = this.#fates.subarray(first, first + rows.length);
    const kept = rowsOf(fates, KEPT);
    const aside = rowsOf(fates, QUARANTINED);
    const winners = aside.length === 0 ? kept : rowsBut(fates, COPY);
    const reasons = new Map<number, string[]>(Array.from(aside, (row) => [row, []]));
    const keptRows = chosenRows(rows, kept);
    const winnerRows = aside.length === 0 ? keptRows : chosenRows(rows, winners);
    for (const check of this.#checks) {
      const { layer, onFail, name } = check.measure.check;
      if (layer === "bronze") {
        this.#eachFailing(check, rows, undefined, first, (row) => check.measure.name(first + row));
      } else if (onFail !== "quarantine") {
        this.#eachFailing(check, keptRows, kept, first, (row) => check.measure.name(this.#kept + placeOf(kept, row)));
      } else {
        const takes = this.#taking.has(measureName(check.measure.check));
        this.#eachFailing(check, winnerRows, winners, first, (row) => {
          if (takes) reasons.get(row)?.push(name);
          const place = takes ? placeOf(aside, row) : placeOf(kept, row);
          if (place >= 0) check.measure.name((takes ? this.#quarantined : this.#kept) + place);
        });
      }
    }
    const quarantined = withReasons(
      chosenRows(rows, aside),
      Array.from(aside, (row) => reasons.get(row) ?? []),
    );
    this.#kept += kept.length;
    this.#quarantined += aside.length;
    const copies = rows.length - winners.length;
    this.#terms.add("silver", keptRows);
    this.#terms.add("quarantined", quarantined);
    if (copies > 0) this.#terms.addCopies(rows, fates);
    for (const list of new Set([kept, aside, winners])) release(list);
    return { kept: keptRows, quarantined };
  }

  totals(): Pick<StepOutput, "kept" | "quarantined" | "terms"> {
    return { kept: this.#kept, quarantined: this.#quarantined, terms: this.#terms.terms() };
  }

  /**
   * The rows that count against a check, by their number in the batch; `rows` are those over which it is measured, `chosen` of the
   * batch, or all of it.
   */
  #eachFailing(
    check: MeasuredCheck,
    rows: Batch,
    chosen: Int32Array | undefined,
    first: number,
    each: (row: number) => void,
  ): void {
    const marks = this.#marks.get(check);
    if (marks === undefined) {
      const places = check.failing?.(rows) ?? [];
      check.measure.add(rows.length, places.length);
      for (const place of places) each(chosen?.[place] ?? place);
    } else if (chosen === undefined) {
      for (let row = 0; row < rows.length; row++) if (marks[first + row] === 1) each(row);
    } else {
      for (const row of chosen) if (marks[first + row] === 1) each(row);
    }
  }
}

function rowsOf(fates: Uint8Array, wanted: number): Int32Array {
  const rows = new Int32Array(fates.length);
  let found = 0;
  for (let row = 0; row < fates.length; row++) if (fates[row] === wanted) rows[found++] = row;
  return rows.subarray(0, found);
}

function rowsBut(fates: Uint8Array, unwanted: number): Int32Array {
  const rows = new Int32Array(fates.length);
  let found = 0;
  for (let row = 0; row < fates.length; row++) if (fates[row] !== unwanted) rows[found++] = row;
  return rows.subarray(0, found);
}

/** Where a row stands among rows in ascending order; -1: nowhere. */
function placeOf(rows: Int32Array, row: number): number {
  let [low, high] = [0, rows.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = rows[middle]!;
    if (found === row) return middle;
    if (found < row) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

function chosenRows(rows: Batch, chosen: Int32Array): Batch {
  return chosen.length === rows.length ? rows : gatherBatch(rows, chosen);
}
