import type { SavedPart } from "../aggregates/partial-format.ts";
import { PartialFormatError } from "../ir/errors.ts";
import type { Plan } from "../ir/ir.ts";
import { type Execution, execute } from "./execute.ts";
import { createGrouping, distinctAsGrouping, type Grouping, type GroupingPlan } from "./grouping.ts";
import type { HeldRows } from "./held-rows.ts";
import { outputTypes } from "./output-types.ts";

/** A plan cut where its rows come together. */
export interface PartialPlan {
  /** Aggregations over rows that come one by one: what they hold is the plan's partial result. */
  readonly groupings: readonly GroupingPlan[];
  /** What is computed of the finished groups: the scan of the table `#n` gives those of grouping n. */
  readonly above: Plan;
}

/**
 * Cuts a plan in two; undefined when parts of its input cannot be added up. It can where every way from a scan leads through
 * an aggregation (or a DISTINCT, which is one) before anything else that holds rows. The right sides of joins are looked up:
 * they are no part that is added.
 */
export function partialPlanOf(plan: Plan): PartialPlan | undefined {
  const groupings: GroupingPlan[] = [];
  const above = isSelfJoined(plan) ? undefined : cut(plan, groupings);
  return above === undefined || groupings.length === 0 ? undefined : { groupings, above };
}

function cut(plan: Plan, groupings: GroupingPlan[]): Plan | undefined {
  if ((plan.node === "aggregate" || plan.node === "distinct") && isStreamed(plan.input)) {
    groupings.push(plan.node === "aggregate" ? plan : distinctAsGrouping(plan));
    const columns = outputTypes(plan).map((type, index) => ({ name: String(index), type }));
    return { node: "scan", table: `#${groupings.length - 1}`, columns };
  }
  switch (plan.node) {
    case "scan":
      return undefined;
    case "union": {
      const inputs = plan.inputs.map((input) => cut(input, groupings));
      const known = inputs.filter((input) => input !== undefined);
      return known.length === inputs.length ? { ...plan, inputs: known } : undefined;
    }
    case "join":
      // Groups are joined once they are finished, but the scan of the right side would not be in reach any more.
      return undefined;
    default: {
      const input = cut(plan.input, groupings);
      return input && { ...plan, input };
    }
  }
}

/** Whether each row of the input gives its rows of the output by itself, but for what it looks up. */
export function isRowByRow(plan: Plan): boolean {
  return isStreamed(plan) && !isSelfJoined(plan);
}

function isStreamed(plan: Plan): boolean {
  switch (plan.node) {
    case "scan":
      return true;
    case "filter":
    case "project":
    case "unnest":
      return isStreamed(plan.input);
    case "union":
      return plan.inputs.every(isStreamed);
    case "join":
      return isStreamed(plan.left);
    default:
      return false;
  }
}

/** Whether a table is looked up that the plan reads as its input too: a new row then meets the old ones, and they it. */
function isSelfJoined(plan: Plan): boolean {
  const { streamed, lookups } = tablesOf(plan);
  return streamed.some((table) => lookups.includes(table));
}

/** The tables that a plan reads row by row, and those on the right sides of joins, which every part needs whole. */
export function tablesOf(plan: Plan): { readonly streamed: readonly string[]; readonly lookups: readonly string[] } {
  switch (plan.node) {
    case "scan":
      return { streamed: [plan.table], lookups: [] };
    case "union": {
      const inputs = plan.inputs.map(tablesOf);
      return {
        streamed: inputs.flatMap(({ streamed }) => streamed),
        lookups: inputs.flatMap(({ lookups }) => lookups),
      };
    }
    case "join": {
      const left = tablesOf(plan.left);
      const right = tablesOf(plan.right);
      return { streamed: left.streamed, lookups: [...left.lookups, ...right.streamed, ...right.lookups] };
    }
    default:
      return tablesOf(plan.input);
  }
}

/** The partial result of a plan, growing. Throws as the operators do. */
export interface PartialRun {
  /** Adds the rows that the scans give: new ones, but of tables that joins look up all (`tablesOf`). */
  add(scan: Execution["scan"]): Promise<void>;
  /** Adds the partial result of other rows, given part by part in their order. */
  merger(): (part: SavedPart) => void;
  /** The partial result, part by part, as `Grouping.save` gives them. */
  save(): Iterable<SavedPart>;
  /** The rows of the plan over all that was added. */
  rows(): ReturnType<typeof execute>;
  readonly byteLength: number;
  /** Frees the partial result: the last call, also after `rows`. */
  release(): void;
}

export function runPartially(plan: PartialPlan, held: HeldRows): PartialRun {
  const groupings: readonly Grouping[] = plan.groupings.map((grouping) => createGrouping(grouping, held));
  return {
    async add(scan) {
      for (const [at, grouping] of groupings.entries()) {
        // There is a plan per grouping.
        for await (const rows of execute(plan.groupings[at]!.input, { scan, held })) grouping.add(rows);
      }
    },
    merger() {
      const mergers = groupings.map((grouping) => grouping.merger());
      return ({ point, part }) => {
        const merge = mergers[point];
        if (merge === undefined) throw new PartialFormatError("a partial result is of another plan");
        merge(part);
      };
    },
    *save() {
      for (const [point, grouping] of groupings.entries()) for (const part of grouping.save()) yield { point, part };
    },
    rows: () =>
      execute(plan.above, {
        async *scan(table) {
          const grouping = groupings[Number(table.slice(1))];
          if (grouping !== undefined) yield grouping.finish();
        },
        held,
      }),
    get byteLength() {
      return groupings.reduce((total, grouping) => total + grouping.byteLength, 0);
    },
    release() {
      for (const grouping of groupings) grouping.release();
    },
  };
}
