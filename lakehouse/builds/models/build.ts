/**
 * Builds a partition of a model of class `merge` or `rows`, a step at a time. A step reads the rows of files that its inputs got since,
 * some hundred thousand at the most, and adds what they give: to the partial result (`merge`), which is saved beside the table, or to the
 * rows that are there (`rows`). When nothing is left to read the candidate is judged, and published as the partition's next version.
 *
 * A candidate goes on from the published version; or from nothing, where an input lost files that were read, a table that is looked up has
 * another version, the model is another one, what was saved is lost, or somebody asked for a build of what is there already.
 */
import { commitVersion, isPublishedBy } from "../../../sql/statements/commits.ts";
import { type AddedFile, filesOfCandidate } from "../../../sql/statements/data-files.ts";
import type { Lease } from "../../../sql/statements/leases.ts";
import { pinLookups } from "../../../sql/statements/lookup-pins.ts";
import { decisionsOf } from "../../../sql/statements/partition-decisions.ts";
import { checksOf } from "../../../sql/statements/quality.ts";
import {
  blockCandidate,
  commitStep,
  discardCandidate,
  isStepOf,
  publishProgress,
  type StepRow,
  silverProgress,
} from "../../../sql/statements/silver-progress.ts";
import { releaseBatch } from "../../engine/columns/release.ts";
import { PartialFormatError } from "../../engine/ir/errors.ts";
import { isPartitionOf } from "../../engine/ir/relation.ts";
import type { EdgeModelTable } from "../../tables/catalog.ts";
import { unfold } from "../../tables/fold.ts";
import { livePartition } from "../../tables/live-files.ts";
import { readFiles } from "../../tables/read-files.ts";
import { partialsPrefix, stageFiles } from "../../tables/stage.ts";
import { unaccepted } from "../gates/decisions.ts";
import { blocking, type CheckResult, QualityGateError, queryResult, runChecks } from "../gates/gate.ts";
import { judgedChecks, judgedResults, leavesChecks } from "../gates/judged.ts";
import { resultRow } from "../gates/result-row.ts";
import { readsMixed } from "../generations/mixed.ts";
import { contentOfTable } from "../generations/record.ts";
import { objectNames } from "../inline.ts";
import { type BuildDeps, type BuildOutcome, messageOf, orReadBack, type StepBounds } from "../outcome.ts";
import { hasClosed, staleAfter } from "../planning/dependencies.ts";
import { StepTooLargeError } from "../planning/splits.ts";
import { LostKeysError } from "../silver/known-keys.ts";
import { type Beginning, beginning, fromNothing } from "./beginning.ts";
import { builtFrom, grows, type InputPartition, inputPartitions, partsOf, pinsOf, scanInputs } from "./inputs.ts";
import { planOfPartition } from "./own-partition.ts";
import { foldModel } from "./partial.ts";
import type { Portion } from "./portion.ts";
import { type ModelProgress, objectsBeside } from "./progress.ts";
import { rowsStep } from "./rows-step.ts";
import { LostPartialError, loadPartial, savePartial } from "./saved-partial.ts";

/** Throws what reading, staging and D1 throw, and StepTooLargeError where the step is given up. */
export async function buildModel(
  deps: BuildDeps,
  table: EdgeModelTable,
  lease: Lease,
  { rows: stepRows, givenUp }: StepBounds,
): Promise<BuildOutcome> {
  const { db } = deps;
  const rows = await silverProgress(db, table.name, table.domain, lease.date);
  const mixed = await readsMixed(db, table, lease.date);
  const inputs = await inputPartitions(db, deps, table.model, lease.date);
  const published = partsOf(table.model.plan, inputs);
  const begin = beginning(rows, table, lease, published, stepRows);
  if (givenUp) throw tooLarge(table, lease.date, begin.portion, stepRows);
  const build = new ModelBuild(deps, table, lease, { inputs, mixed, publishedRows: rows.publishedRows });
  try {
    return await build.step(begin);
  } catch (error) {
    if (!isLost(error)) throw error;
    const discarded = begin.candidate === undefined ? begin.discarded : begin.progress;
    return await build.step(fromNothing({ discarded, live: begin.live }, table, published, stepRows));
  }
}

/** Whether what earlier builds kept is gone, damaged or of another version: all of it follows from the inputs. */
function isLost(error: unknown): boolean {
  return error instanceof LostPartialError || error instanceof PartialFormatError || error instanceof LostKeysError;
}

function tooLarge({ name }: EdgeModelTable, date: string, { pieces }: Portion, rows: number): StepTooLargeError {
  const [first] = pieces;
  const where = first === undefined ? "its end" : `row ${first.firstRow} of ${first.file}`;
  return new StepTooLargeError(
    `the builders of ${name} ${date} vanished again and again at ${where}, though a step was cut down to ${rows} rows: what the model holds needs more memory or time than an isolate has; let it group by fewer values or count fewer distinct ones, or look at these rows`,
  );
}

/** Where every input is written whole each time nothing is ever added, so that a partial result would be of no use. */
const NOT_GONE_ON_FROM: Pick<ModelProgress, "definition" | "partial"> = { definition: "", partial: [] };

/** A step's result, before it is known whether another step follows. */
interface Stepped {
  readonly progress: ModelProgress;
  /** Files of a candidate that grows, for class `rows`; none for class `merge`. */
  readonly files: readonly AddedFile[];
  readonly rowsOut: number;
  /** Judges all that there is. */
  gate(): Promise<Judged>;
}

interface Judged {
  /** Those of the table, rows before not included where these stand in files of their own. */
  readonly files: readonly AddedFile[];
  readonly rows: number;
  readonly results: readonly CheckResult[];
}

class ModelBuild {
  readonly #deps: BuildDeps;
  readonly #table: EdgeModelTable;
  readonly #lease: Lease;
  readonly #inputs: readonly InputPartition[];
  readonly #mixed: boolean;
  readonly #publishedRows: number;
  readonly #closed: boolean;

  /** `mixed`: as of `readsMixed`. `publishedRows`: of the version that is published. */
  constructor(
    deps: BuildDeps,
    table: EdgeModelTable,
    lease: Lease,
    known: {
      readonly inputs: readonly InputPartition[];
      readonly mixed: boolean;
      readonly publishedRows: number;
    },
  ) {
    this.#deps = deps;
    this.#table = table;
    this.#lease = lease;
    this.#inputs = known.inputs;
    this.#mixed = known.mixed;
    this.#publishedRows = known.publishedRows;
    this.#closed = hasClosed(lease);
  }

  async step(begin: Beginning): Promise<BuildOutcome> {
    const table = this.#table;
    const lease = this.#lease;
    const { db } = this.#deps;
    const { candidate, basis, discarded, live, portion } = begin;
    const merges = table.model.class.kind === "merge";
    const step = merges ? await this.#fold(begin) : await this.#append(begin);
    const { progress } = step;
    const row: StepRow = {
      topic: table.domain,
      build_id: candidate?.id ?? lease.runId,
      steps: (candidate?.steps ?? 0) + 1,
      basis,
      progress: JSON.stringify(progress),
    };
    if (discarded !== undefined)
      await db.batch(discardCandidate(db, lease, table.name, table.domain, objectsBeside([discarded], live)));
    if (portion.more) {
      const counts = { in: portion.rows, out: step.rowsOut };
      const mine = await orReadBack(
        () => commitStep(db, lease, table.name, row, step.files, counts),
        () => isStepOf(db, lease, table.domain),
      );
      if (!mine) return { kind: "lost", lease };
      return { kind: "stepped", lease, rowsIn: counts.in, rowsOut: counts.out, steps: row.steps };
    }
    const judged = await step.gate();
    // A date that is left from when the table had another grain is published without rows: a check that wants some would hold it back.
    const asked = isPartitionOf(table.model.grain, lease.date);
    const results = asked ? judged.results : [];
    const checks = checksOf(
      table.name,
      new Date().toISOString(),
      results.map((result) => resultRow(result, judged.files)),
    );
    const held = unaccepted(blocking(results), await decisionsOf(db, table.domain, lease.date));
    if (held.length > 0) {
      const message = messageOf(new QualityGateError(table.name, lease.date, held));
      const failure = { failureClass: "data", message, backoffMs: 0, checks } as const;
      await db.batch(blockCandidate(db, lease, table.name, row, step.files, failure));
      return { kind: "failed", lease, failureClass: "data", message };
    }
    // The result of groups is written whole each time; rows stay where they stand.
    const replacesAll = merges || basis === "empty";
    if (replacesAll) await unfold(db, this.#deps.bucket, table, lease.date);
    // Only its checks were judged: what reads the table has nothing new.
    const addsNothing = basis === "published" && candidate === undefined && portion.rows === 0;
    const kept: ModelProgress = { ...progress, rows: judged.rows, replaced: [] };
    const mine = await orReadBack(
      () =>
        commitVersion(db, {
          lease,
          table: table.name,
          layer: table.layer,
          path: `${table.directory}/${table.partition}=${lease.date}/`,
          added: judged.files,
          ...(merges || candidate === undefined ? {} : { candidate: row.build_id }),
          removed: replacesAll ? "all" : [],
          rows: judged.rows,
          rowsAdded: replacesAll ? judged.rows : judged.rows - this.#publishedRows,
          rowsIn: portion.rows,
          ...builtFrom(this.#inputs),
          seen: null,
          generation: { content: this.#mixed ? null : contentOfTable(table) },
          awaitsClosing: asked && leavesChecks(table.checks, this.#closed),
          dependents: addsNothing ? [] : staleAfter(table.name, lease.date, Date.now()),
          checks,
          also: (guard) => [
            ...publishProgress(
              { ...row, progress: JSON.stringify(kept) },
              { wasCandidate: candidate !== undefined, replaced: objectsBeside([progress, live], kept) },
              guard,
            ),
            ...pinLookups(pinsOf(this.#inputs), guard),
          ],
        }),
      () => isPublishedBy(db, table.name, lease.date, lease.runId),
    );
    if (!mine) return { kind: "lost", lease };
    return { kind: "committed", lease, rowsIn: portion.rows, rowsOut: judged.rows };
  }

  /** Class `merge`: the new rows into the partial result, which is saved anew under this run's name. */
  async #fold({ progress: before, portion }: Beginning): Promise<Stepped> {
    const { bucket } = this.#deps;
    const table = this.#table;
    const { date, runId } = this.#lease;
    const plan = planOfPartition(table.model, date);
    const known = before.partial.length === 0 ? undefined : loadPartial(bucket, table.model, before.partial);
    const folded = await foldModel(table.model, known, this.#scan(portion, true), plan);
    const replaced = [...before.replaced, ...objectNames(before.partial)];
    const progress = { ...before, read: [...portion.read], rowsIn: before.rowsIn + portion.rows, replaced };
    const goesOn = portion.more || partsOf(plan, this.#inputs).read.some(({ table: input }) => grows(input));
    const saved = goesOn
      ? {
          definition: before.definition,
          partial: await savePartial(
            bucket,
            partialsPrefix(table, date, runId),
            folded.partial(`${table.name} ${date} by ${runId}`),
            this.#deps.inlineBytes,
          ),
        }
      : NOT_GONE_ON_FROM;
    if (portion.more) folded.release();
    return {
      progress: { ...progress, ...saved },
      files: [],
      rowsOut: 0,
      gate: async () => {
        const rows = await folded.rows();
        const files = await stageFiles(this.#deps, table, date, runId, rows);
        const results = await runChecks(this.#checks, table.layer, rows);
        releaseBatch(rows);
        return { files, rows: rows.length, results };
      },
    };
  }

  /** Class `rows`: what the new rows give, as files of their own. */
  async #append({ progress: before, portion, basis, candidate }: Beginning): Promise<Stepped> {
    const table = this.#table;
    const plan = planOfPartition(table.model, this.#lease.date);
    const step = await rowsStep(this.#deps, table, this.#lease, plan, this.#scan(portion, false), before);
    const progress = {
      ...before,
      ...step.progress,
      read: [...portion.read],
      rowsIn: before.rowsIn + portion.rows,
    };
    return {
      progress,
      files: step.files,
      rowsOut: step.rows,
      gate: async () => ({
        files: step.files,
        rows: progress.rows,
        results: [
          ...judgedResults(step.results, this.#closed),
          ...(await this.#queries(basis, candidate?.id, step.files)),
        ],
      }),
    };
  }

  /** The checks in SQL, over all files of a candidate that grows. */
  async #queries(
    basis: Beginning["basis"],
    candidate: string | undefined,
    added: readonly AddedFile[],
  ): Promise<CheckResult[]> {
    const { db, bucket } = this.#deps;
    const { name, layer, fields } = this.#table;
    const { date } = this.#lease;
    const queries = this.#checks.flatMap((check) => (check.metric === "sql" && check.layer === layer ? [check] : []));
    if (queries.length === 0) return [];
    const live = basis === "empty" ? undefined : await livePartition(db, bucket, name, date);
    const earlier = candidate === undefined ? [] : await filesOfCandidate(db, name, date, candidate);
    const files = [...(live?.files ?? []), ...earlier, ...added];
    const results: CheckResult[] = [];
    for (const check of queries) {
      results.push(
        await queryResult(check, (columns) =>
          readFiles(
            this.#deps,
            files,
            fields.filter((field) => columns.includes(field.name)),
          ),
        ),
      );
    }
    return results;
  }

  /** Those that it judges. */
  get #checks() {
    return judgedChecks(this.#table.checks, this.#closed);
  }

  /** Gives the portion's rows of inputs that are read row by row, and all rows of those that are looked up. Batches may be transient, since groups copy what they keep. */
  #scan({ pieces }: Beginning["portion"], transient: boolean) {
    const { read } = partsOf(this.#table.model.plan, this.#inputs);
    const own = read.map(({ table }) => [table, pieces.filter((piece) => piece.table === table)] as const);
    return scanInputs(this.#deps, this.#inputs, new Map(own), transient);
  }
}
