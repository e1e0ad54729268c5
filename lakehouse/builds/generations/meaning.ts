/**
 * A table's meaning: everything that decides its rows and columns. Two deploys with one meaning build the same rows of the same input,
 * whatever their texts say; a deploy with another meaning begins a generation. Pure.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { typeName } from "../../engine/columns/column-kind.ts";
import type { CompiledModel } from "../../engine/ir/ir.ts";
import { relationText } from "../../engine/ir/relation.ts";
import type { Table } from "../../tables/catalog.ts";
import type { RunnableCheck } from "../../tables/compiled/compiled-check.ts";
import { planHash } from "../models/plan-hash.ts";

/** The form in which the catalog keeps it, as JSON. */
export const meaningSchema = z.object({
  /** Digest of what decides which rows there are, and of what a model makes of them. */
  rules: z.string(),
  /** Columns by name, for a topic's table. It is empty for a model, whose rules name its columns. */
  columns: z.record(z.string(), z.object({ type: z.string(), nullable: z.boolean() })),
  /** The inputs of a model with their date relations: commits of these make its dates stale. They are no part of what its rows mean. */
  reads: z.array(z.string()).exactOptional(),
});
export type Meaning = z.infer<typeof meaningSchema>;

/** Finds a table by its name. */
export type FindTable = (name: string) => Table | undefined;

export function meaningOf(table: Table, find: FindTable): Meaning {
  const columns = table.kind === "topic" ? table.fields : [];
  return {
    rules: rulesOf(table, find),
    columns: Object.fromEntries(columns.map(({ name, type, nullable }) => [name, { type: typeName(type), nullable }])),
    ...(table.kind === "model"
      ? { reads: table.model.inputs.map((input) => `${input.table} ${relationText(input.relation)}`) }
      : {}),
  };
}

/** Whether what was built by `before` is what today's table would be built as, but for columns that are new and may be null. */
export function meansTheSame(before: Meaning, today: Meaning): boolean {
  if (before.rules !== today.rules) return false;
  const kept = Object.entries(before.columns).every(([name, { type }]) => today.columns[name]?.type === type);
  return kept && Object.entries(today.columns).every(([name, { nullable }]) => nullable || name in before.columns);
}

/**
 * Tells whether a model by `today` reads less than by `before`. Then commits of what it dropped make none of its dates stale, and a deploy
 * that means `before` again could take dates for up to date that are not.
 */
export function readsLess(before: Meaning, today: Meaning): boolean {
  if (today.reads === undefined) return false;
  // Those of older deploys are not known.
  return before.reads === undefined || before.reads.some((read) => !today.reads?.includes(read));
}

/** Names a meaning. */
export function generationOf({ rules, columns }: Meaning): string {
  return digest({ rules, columns });
}

/**
 * Digest of all that a deploy says of a table: what it means, and what holds a partition of it back. Where only the latter changed
 * nothing is built again, but what had failed is tried again.
 */
export function contentOf(table: Table, find: FindTable): string {
  const limits = table.kind === "model" ? [table.model.key, mostRows(table.model)] : [];
  const { rules, columns } = meaningOf(table, find);
  return digest([{ rules, columns }, table.checks.map((check) => ({ ...ruleOf(check), when: check.when })), limits]);
}

function mostRows(model: CompiledModel): number | null {
  return model.plan === null ? model.rowLimit : model.maxRows;
}

/** A model that reads a model changes its meaning with it, though its own text stays. */
function rulesOf(table: Table, find: FindTable): string {
  switch (table.kind) {
    case "topic":
      return digest([
        table.contract.dedupeKey,
        table.checks.filter(({ onFail }) => onFail === "quarantine").map(ruleOf),
      ]);
    case "ledger":
      return digest(table.fields.map(({ name, type }) => [name, typeName(type)]));
    case "model": {
      const inputs = table.model.inputs.map((input) => find(input.table)).filter((input) => input?.kind === "model");
      return digest([planHash(table.model), inputs.map((input) => input && [input.name, rulesOf(input, find)])]);
    }
  }
}

/** A check without its plan, its name, and when it is judged: once a partition has closed its rows are the same. */
function ruleOf(check: RunnableCheck): object {
  return { ...check, name: undefined, compiled: undefined, when: undefined };
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}
