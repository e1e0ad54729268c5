/**
 * Builds a topic's silver partition, a step at a time. A step reads the bronze that was registered behind what is seen, some hundred
 * thousand rows at the most, and adds to a candidate. When nothing is left to read the candidate is judged, and published as the
 * partition's next version. Where there is little to read, which is nearly always, one step does all of it in one commit.
 *
 * A candidate goes on from the published version; or from nothing, where what decides its rows has changed, where somebody asked for a
 * build of what is there already, or where a check takes other rows out than before.
 */
import { randomInt } from "node:crypto";
import { type Commit, commitVersion, isPublishedBy } from "../../../sql/statements/commits.ts";
import { type AddedFile, filesOfCandidate } from "../../../sql/statements/data-files.ts";
import type { Lease } from "../../../sql/statements/leases.ts";
import { type Decision, decisionsOf } from "../../../sql/statements/partition-decisions.ts";
import { checksOf } from "../../../sql/statements/quality.ts";
import { flushedThrough } from "../../../sql/statements/shards.ts";
import {
  blockCandidate,
  commitStep,
  discardCandidate,
  isStepOf,
  type ProgressRows,
  publishProgress,
  type StepRow,
  silverProgress,
} from "../../../sql/statements/silver-progress.ts";
import type { Batch, Field } from "../../engine/columns/column.ts";
import { release, releaseColumn } from "../../engine/columns/release.ts";
import { bronzeInputs, unseenInputs } from "../../tables/bronze/inputs.ts";
import type { TopicTable } from "../../tables/catalog.ts";
import { unfold } from "../../tables/fold.ts";
import { livePartition } from "../../tables/live-files.ts";
import { quarantineOf } from "../../tables/quarantine.ts";
import { FileStager, keysPrefix } from "../../tables/stage.ts";
import { checksAfter, unaccepted } from "../gates/decisions.ts";
import { blocking, QualityGateError } from "../gates/gate.ts";
import { judgedChecks, judgedResults, leavesChecks } from "../gates/judged.ts";
import { resultRow } from "../gates/result-row.ts";
import { contentOfTable } from "../generations/record.ts";
import { inlineShare, objectNames } from "../inline.ts";
import { type BuildDeps, type BuildOutcome, messageOf, orReadBack, type StepBounds } from "../outcome.ts";
import { hasClosed, staleAfter } from "../planning/dependencies.ts";
import { type Beginning, beginning, fromNothing, takenNow } from "./beginning.ts";
import { bronzeRows, FileEnds, positionOrder } from "./bronze-rows.ts";
import { derived } from "./derived.ts";
import { addKeys, knownKeys, LostKeysError } from "./known-keys.ts";
import { type Portion, portionOf } from "./portion.ts";
import { advanced, noProgress, type SilverProgress } from "./progress.ts";
import { quarantineLate } from "./sealed.ts";
import { type StepOutput, silverStep } from "./step.ts";
import { tooLarge } from "./too-large.ts";
import { wholeChecks } from "./whole-checks.ts";

/** Throws what reading, staging and D1 throw, and StepTooLargeError where the step is given up. */
export async function buildSilver(
  deps: BuildDeps,
  topicTable: TopicTable,
  lease: Lease,
  bounds: StepBounds,
): Promise<BuildOutcome> {
  if (lease.sealed) return addLate(deps, topicTable, lease, bounds);
  const decisions = await decisionsOf(deps.db, topicTable.domain, lease.date);
  const table = {
    ...topicTable,
    checks: checksAfter(topicTable.checks, decisions),
    content: contentOfTable(topicTable),
  };
  const rows = await silverProgress(deps.db, table.name, table.domain, lease.date);
  const begin = beginning(rows, table, lease);
  try {
    return await takeStep(deps, table, lease, rows, begin, decisions, bounds);
  } catch (error) {
    if (!(error instanceof LostKeysError)) throw error;
    const anew = fromNothing(begin, table, begin.progress.taking);
    return await takeStep(deps, table, lease, rows, anew, decisions, bounds);
  }
}

/** Of a sealed partition: the published rows stay, late ones go to quarantine. */
async function addLate(
  deps: BuildDeps,
  table: TopicTable,
  lease: Lease,
  { rows, givenUp }: StepBounds,
): Promise<BuildOutcome> {
  const { db } = deps;
  if (givenUp) throw tooLarge(table, lease.date, [], rows);
  const { more, ...late } = await quarantineLate(db, deps, table, lease, rows);
  // With more to read, no input counts as built: the planner queues the partition again.
  const held = more ? { ...lease, version: 0 } : lease;
  const mine = await orReadBack(
    () => commitVersion(db, { ...placeOf(table, held), ...late }),
    () => isPublishedBy(db, table.name, lease.date, lease.runId),
  );
  return mine ? { kind: "committed", lease, rowsIn: late.rowsIn, rowsOut: late.rows } : { kind: "lost", lease };
}

function placeOf(table: TopicTable, lease: Lease): Pick<Commit, "lease" | "table" | "layer" | "path"> {
  const path = `${table.directory}/${table.partition}=${lease.date}/`;
  return { lease, table: table.name, layer: table.layer, path };
}

/** `content`: what the deploy says of the table, whatever people decided of the partition. */
type BuiltTable = TopicTable & { readonly content: string };

async function takeStep(
  deps: BuildDeps,
  table: BuiltTable,
  lease: Lease,
  { publishedRows }: ProgressRows,
  begin: Beginning,
  decisions: readonly Decision[],
  { rows: stepRows, givenUp }: StepBounds,
): Promise<BuildOutcome> {
  const { db } = deps;
  const { topic } = table.contract;
  const completeThrough = await flushedThrough(db, topic);
  const { seen, partRead } = begin.progress;
  const unseen = portionOf(
    await unseenInputs(db, deps.bucket, topic, lease.date, seen, stepRows + partRead),
    seen,
    partRead,
    stepRows,
  );
  if (givenUp) throw tooLarge(table, lease.date, unseen.inputs, stepRows);
  const step = await runStep(deps, table, lease, begin.progress, unseen);
  const { progress } = step;
  const row: StepRow = {
    topic,
    build_id: begin.candidate?.id ?? lease.runId,
    steps: (begin.candidate?.steps ?? 0) + 1,
    basis: begin.basis,
    progress: JSON.stringify(progress),
  };
  if (begin.discarded !== undefined)
    await db.batch(discardCandidate(db, lease, table.name, topic, objectsBeside([begin.discarded], begin.live)));
  const counts = { in: step.rowsIn, out: step.output.kept };
  const stepped = async (next: StepRow, files: readonly AddedFile[]): Promise<BuildOutcome> => {
    const mine = await orReadBack(
      () => commitStep(db, lease, table.name, next, files, counts),
      () => isStepOf(db, lease, topic),
    );
    return mine
      ? { kind: "stepped", lease, rowsIn: counts.in, rowsOut: counts.out, steps: next.steps }
      : { kind: "lost", lease };
  };
  if (unseen.more) return stepped(row, step.files);

  const closed = hasClosed(lease);
  const measured = judgedResults(step.output.results, closed);
  const taking = takenNow(measured, progress.taking);
  if (taking !== undefined) {
    // The rows that a check takes out depend on all rows: with all of them measured, it takes others than it did.
    const staged = [...objectsBeside([progress], begin.live), ...step.files.map(({ file }) => file)];
    await db.batch(discardCandidate(db, lease, table.name, topic, staged));
    const again = noProgress(table, taking);
    return stepped({ ...row, steps: 0, basis: "empty", build_id: lease.runId, progress: JSON.stringify(again) }, []);
  }
  const whole = await wholeChecks(
    deps,
    { ...table, checks: judgedChecks(table.checks, closed) },
    {
      bronze: () => bronzeInputs(db, deps.bucket, topic, lease.date),
      silver: () => candidateData(deps, table, lease.date, begin, step.files),
    },
  );
  const results = [...measured, ...whole];
  const data = step.files.filter(({ kind }) => kind === "data");
  const aside = step.files.filter(({ kind }) => kind === "quarantine");
  const checks = checksOf(
    table.name,
    new Date().toISOString(),
    results.map((result) => resultRow(result, result.check.onFail === "quarantine" && !result.passed ? aside : data)),
  );
  const held = unaccepted(blocking(results), decisions);
  if (held.length > 0) {
    const message = messageOf(new QualityGateError(table.name, lease.date, held));
    await db.batch(
      blockCandidate(db, lease, table.name, row, step.files, { failureClass: "data", message, backoffMs: 0, checks }),
    );
    return { kind: "failed", lease, failureClass: "data", message };
  }
  const published = { ...progress, replaced: [] };
  // Only its checks were judged: what reads the table has nothing new.
  const addsNothing = begin.basis === "published" && begin.candidate === undefined && step.rowsIn === 0;
  if (begin.basis === "empty") await unfold(db, deps.bucket, table, lease.date);
  const mine = await orReadBack(
    () =>
      commitVersion(db, {
        ...placeOf(table, lease),
        added: step.files,
        ...(begin.candidate === undefined ? {} : { candidate: row.build_id }),
        removed: begin.basis === "empty" ? "all" : [],
        rows: progress.kept,
        rowsAdded: begin.basis === "empty" ? progress.kept : progress.kept - publishedRows,
        rowsIn: step.rowsIn,
        inputs: progress.inputs,
        digest: progress.digest,
        seen: progress.seen,
        completeThrough,
        generation: { content: table.content },
        awaitsClosing: leavesChecks(table.checks, closed),
        dependents: addsNothing ? [] : staleAfter(table.name, lease.date, Date.now()),
        terms: { topic, ...progress.terms },
        checks,
        also: (guard) =>
          publishProgress(
            { ...row, progress: JSON.stringify(published) },
            {
              wasCandidate: begin.candidate !== undefined,
              replaced: objectsBeside([progress, begin.live], published),
            },
            guard,
          ),
      }),
    () => isPublishedBy(db, table.name, lease.date, lease.runId),
  );
  if (!mine) return { kind: "lost", lease };
  return { kind: "committed", lease, rowsIn: step.rowsIn, rowsOut: progress.kept };
}

/** The data files of a candidate: those of the version that it goes on from, of its earlier steps, and of this one. */
async function candidateData(
  { db, bucket }: BuildDeps,
  { name }: TopicTable,
  date: string,
  { basis, candidate }: Beginning,
  added: readonly AddedFile[],
): Promise<readonly { readonly file: string }[]> {
  const live = basis === "empty" ? undefined : await livePartition(db, bucket, name, date);
  const earlier = candidate === undefined ? [] : await filesOfCandidate(db, name, date, candidate.id);
  return [...(live?.files ?? []), ...earlier, ...added].filter(({ kind }) => kind === "data");
}

interface Stepped {
  readonly output: StepOutput;
  readonly rowsIn: number;
  readonly progress: SilverProgress;
  readonly files: readonly AddedFile[];
}

/** Reads, decides and stages the rows of the inputs. Nothing of it is known to the catalog yet. */
async function runStep(
  deps: BuildDeps,
  table: TopicTable,
  lease: Lease,
  before: SilverProgress,
  portion: Portion,
): Promise<Stepped> {
  const { inputs } = portion;
  const { bucket } = deps;
  const { date, runId } = lease;
  const order = positionOrder(inputs);
  const rowsIn = order.length;
  const ends = new FileEnds();
  const data = new FileStager(deps, table, date, runId, "data");
  const quarantine = quarantineOf(table);
  const aside = new FileStager(deps, quarantine, date, runId, "quarantine");
  const output = await silverStep(
    table,
    {
      rows: {
        count: rowsIn,
        order,
        read: (fields) => bronzeRows(deps, inputs, fields, true, ends),
      },
      known: ({ id }) => knownKeys(bucket, before.keys[id] ?? []),
      taking: new Set(before.taking),
      measures: before.measures,
      seed: randomInt(2 ** 32),
    },
    {
      kept: (rows) => addDerived(data, table, rows, table.fields),
      quarantined: (rows) => addDerived(aside, table, rows, quarantine.fields),
    },
  );
  release(order);
  // A partition without rows still has its columns.
  if (before.kept === 0 && output.kept === 0) data.addNothing();
  const keys: SilverProgress["keys"] = {};
  const inlineBytes = inlineShare(output.keys.length, deps.inlineBytes);
  const replaced = [...before.replaced];
  for (const [n, { space, identities }] of output.keys.entries()) {
    // Two checks of one set of columns have one space: keys written again would stand in no progress, and never be buried.
    if (keys[space.id] !== undefined) continue;
    const prefix = `${keysPrefix(table, date, runId)}${n}-`;
    const change = await addKeys(bucket, prefix, before.keys[space.id] ?? [], identities, inlineBytes);
    keys[space.id] = [...change.kept];
    replaced.push(...change.replaced);
  }
  return {
    output,
    rowsIn,
    progress: advanced(before, table, portion, rowsIn, output, { keys, replaced }),
    files: [...(await data.finish()), ...(await aside.finish())],
  };
}

/** The stager copies: what was derived is freed behind it. */
async function addDerived(stager: FileStager, table: TopicTable, rows: Batch, fields: readonly Field[]): Promise<void> {
  const whole = derived(table, rows, fields);
  await stager.add(whole);
  for (const column of whole.columns) if (!rows.columns.includes(column)) releaseColumn(column);
}

/** The objects of keys that some progress names and the one that stays does not. */
function objectsBeside(given: readonly (SilverProgress | undefined)[], stays: SilverProgress | undefined): string[] {
  const namesOf = ({ keys, replaced }: SilverProgress): string[] => [
    ...Object.values(keys).flatMap(objectNames),
    ...replaced,
  ];
  const kept = new Set(stays === undefined ? [] : namesOf(stays));
  const named = given.flatMap((progress) => (progress === undefined ? [] : namesOf(progress)));
  return [...new Set(named)].filter((object) => !kept.has(object));
}
