/** Runs a case up to its end or its bound, saving and loading as a build does, and prints what memory that took (`../aggregates.ts`). */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadPartial, savePartial } from "../../../lakehouse/builds/models/saved-partial.ts";
import { encodePartial } from "../../../lakehouse/engine/aggregates/partial-format.ts";
import { ModelTooLargeError } from "../../../lakehouse/engine/ir/errors.ts";
import { execute } from "../../../lakehouse/engine/operators/execute.ts";
import { createHeldRows, MAX_GROUPS } from "../../../lakehouse/engine/operators/held-rows.ts";
import { type PartialPlan, partialPlanOf, runPartially } from "../../../lakehouse/engine/operators/partial-plan.ts";
import { collectRows } from "../../../lakehouse/engine/operators/sort.ts";
import { type PeakMemory, peakMemory } from "../memory/peak.ts";
import { HELD_CASES, type HeldCase, rowsOf } from "./held-cases.ts";

const [name = "", folder = ""] = process.argv.slice(2);
const chosen: HeldCase | undefined = Object.entries(HELD_CASES).find(([each]) => each === name)?.[1];
if (chosen === undefined) throw new Error(`no case is called ${name}`);

const TITLE = { generation: "bench", note: "" };
const bucket = {
  put: (key: string, bytes: Uint8Array) => writeFile(join(folder, key), bytes),
  async get(key: string) {
    const bytes = await readFile(join(folder, key));
    return { arrayBuffer: async () => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) };
  },
};

function heldOf({ kind }: HeldCase) {
  return createHeldRows({
    kind: kind === "check" ? "check" : "model",
    name,
    maxRows: 1_000_000,
    ...(kind === "merge" ? { maxGroups: MAX_GROUPS } : {}),
  });
}

const bounds = heldOf(chosen);
let refused = "";
let rows = chosen.rows;

/** Runs `work`, and gives whether it stayed within the bounds. */
async function within(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof ModelTooLargeError)) throw error;
    refused = error.message;
    return false;
  }
}

/** A partial result of most rows is loaded, the others are added, it is saved again, and the rows of the result are taken. */
async function goOn(held: HeldCase, plan: PartialPlan): Promise<PeakMemory> {
  let given = 0;
  const counted = async function* () {
    for await (const batch of rowsOf(held, 0, held.rows)) {
      yield batch;
      given += batch.length;
    }
  };
  // As many as the bounds let in, less a little: arrays that grow in other steps have other room to spare.
  if (!(await within(() => runPartially(plan, heldOf(held)).add(counted)))) rows = Math.floor(given * 0.95);
  const before = Math.floor(rows * 0.9);
  const earlier = runPartially(plan, heldOf(held));
  await earlier.add(() => rowsOf(held, 0, before));
  const objects = await savePartial(bucket, "before-", encodePartial(TITLE, earlier.save()));
  for await (const _ of earlier.rows());
  return peakMemory(async () => {
    const run = runPartially(plan, bounds);
    const merge = run.merger();
    for await (const part of loadPartial(bucket, TITLE, objects)) merge(part);
    await run.add(() => rowsOf(held, before, rows));
    await savePartial(bucket, "after-", encodePartial(TITLE, run.save()));
    await collectRows(run.rows(), bounds);
  });
}

/** All rows are run through the plan, and the rows of the result are kept. */
function runWhole(held: HeldCase): Promise<PeakMemory> {
  const scan = (table: string) => rowsOf(held, 0, table === "looked up" ? held.ids : held.rows);
  return peakMemory(() => within(() => collectRows(execute(held.plan, { scan, held: bounds }), bounds)));
}

const plan = chosen.kind === "merge" ? partialPlanOf(chosen.plan) : undefined;
const peak = plan === undefined ? await runWhole(chosen) : await goOn(chosen, plan);
console.log(JSON.stringify({ ...peak, rows, refused }));
