/** What becomes of each new row of a step. Pure, over numbers: no row is held for it. */
import type { KeySet } from "../../engine/keys/key-set.ts";
import type { KeySpace } from "./key-space.ts";

/** The keys of a space among a step's rows. */
export interface SpaceKeys {
  readonly space: KeySpace;
  readonly keys: KeySet;
  /** The key's slot by row; -1: the key has a NULL, and is equal to no other. */
  readonly slots: Int32Array;
}

export const COPY = 0;
export const KEPT = 1;
export const QUARANTINED = 2;

export interface Fates {
  /** COPY, KEPT or QUARANTINED by row. */
  readonly fates: Uint8Array;
  /** For each space of a check: 1 where another row of its population had the row's key before. */
  readonly repeated: ReadonlyMap<SpaceKeys, Uint8Array>;
}

/**
 * Rows are looked at in the order of their positions, `order`, in which the first row of a key wins: what is decided does not change
 * when rows come later. `unsound` says 1 of the rows that a check of values keeps out; `takes` whether a space's check keeps rows out.
 * Values come first and duplicates among the rows that are left, so that a bad row does not cost a good one with the same key.
 */
export function decideFates(
  dedupe: SpaceKeys,
  others: readonly SpaceKeys[],
  order: Int32Array,
  unsound: Uint8Array,
  takes: (space: KeySpace) => boolean,
): Fates {
  const fates = new Uint8Array(order.length);
  const repeated = new Map(others.map((keys) => [keys, new Uint8Array(order.length)]));
  const of = (population: KeySpace["population"]) => others.filter(({ space }) => space.population === population);
  const bronze = of("bronze");
  const sound = of("sound");
  const kept = of("kept");
  const isRepeated = (keys: SpaceKeys, row: number): boolean => {
    if (isFirst(keys, row)) return false;
    // Every space has its marks.
    repeated.get(keys)![row] = 1;
    return true;
  };
  for (const row of order) {
    for (const keys of bronze) isRepeated(keys, row);
    if (!isFirst(dedupe, row)) continue;
    let taken = unsound[row] === 1;
    if (!taken) {
      // All of them are asked, so that each check counts what it would count alone.
      for (const keys of sound) taken = (isRepeated(keys, row) && takes(keys.space)) || taken;
    }
    fates[row] = taken ? QUARANTINED : KEPT;
    if (!taken) for (const keys of kept) isRepeated(keys, row);
  }
  return { fates, repeated };
}

/** Whether no row before had the key; from now on one had. */
function isFirst({ keys, slots }: SpaceKeys, row: number): boolean {
  // Rows of `order` have their slots.
  const slot = slots[row]!;
  if (slot < 0) return true;
  if (!keys.isFree(slot)) return false;
  keys.take(slot);
  return true;
}
