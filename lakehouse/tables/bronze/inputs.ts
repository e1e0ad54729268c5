/** Which rows of bronze a partition has, in the order of their positions, wherever they are listed: in D1, or in the date's manifest. */
import {
  type BronzeInput,
  firstRows,
  listedInputs,
  MAX_INPUTS,
  type UnseenInputs,
} from "../../../sql/statements/bronze-inputs.ts";
import type { LakeBucket } from "../lake.ts";
import { inputsOf, readBronzeManifest } from "./manifest.ts";

/** Every file that a flush ever registered for a partition, in the order of registration. Throws what D1 and `readBronzeManifest` throw. */
export async function bronzeInputs(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  topic: string,
  date: string,
): Promise<BronzeInput[]> {
  const { folded, inputs } = await listedInputs(db, topic, date, 0, null);
  return [...(folded === undefined ? [] : await inputsIn(bucket, folded.manifest, 0)), ...inputs];
}

/**
 * The inputs of a partition that were registered behind `seen`, the oldest first: as many as have `limitRows` rows together, and at
 * least one. Throws what D1 and `readBronzeManifest` throw.
 */
export async function unseenInputs(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  topic: string,
  date: string,
  seen: number,
  limitRows: number,
): Promise<UnseenInputs> {
  const { folded, inputs: listed } = await listedInputs(db, topic, date, seen, MAX_INPUTS + 1);
  // Numbers only grow, so what is in D1 stands behind all that was folded before it.
  const older = folded === undefined || folded.through <= seen ? [] : await inputsIn(bucket, folded.manifest, seen);
  const found = [...older, ...listed].slice(0, MAX_INPUTS + 1);
  const inputs = firstRows(found.slice(0, MAX_INPUTS), limitRows);
  return { inputs, through: inputs.at(-1)?.registration ?? seen, more: inputs.length < found.length };
}

async function inputsIn(bucket: Pick<LakeBucket, "get">, manifest: string, seen: number): Promise<BronzeInput[]> {
  return inputsOf(await readBronzeManifest(bucket, manifest)).filter(({ registration }) => registration > seen);
}
