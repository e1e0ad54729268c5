import { isMap, parseDocument } from "yaml";
import { z } from "zod";
import { CHECK_TIMES } from "../../../contracts/check-time.ts";
import { ENGINES, type Engine, type ModelCheck } from "../../../lakehouse/engine/ir/ir.ts";
import type { Relation } from "../../../lakehouse/engine/ir/relation.ts";
import { duration } from "../duration.ts";
import type { Problems } from "./model-error.ts";

/** What stands in a model's front matter. */
export interface FrontMatter {
  readonly description: string;
  /** Absent in a model of one partition. */
  readonly partition?: string | undefined;
  readonly key: readonly string[];
  readonly checks: readonly ModelCheck[];
  /** By table; those that are not named are read by the same date. */
  readonly inputs: Readonly<Record<string, Relation>>;
  readonly max_rows?: number | undefined;
  /** In milliseconds. */
  readonly build_after?: number | undefined;
  readonly limit_per_partition: boolean;
  readonly engine: Engine;
}

/** A model file taken apart; offsets are UTF-16 units of the file. */
export interface ModelFile {
  readonly frontMatter: FrontMatter;
  readonly sql: string;
  readonly sqlOffset: number;
  /** Where a value of the front matter stands, for messages. */
  offsetOf(path: readonly (string | number)[]): number;
}

const thresholds = {
  mustBe: z.number().optional(),
  mustNotBe: z.number().optional(),
  mustBeGreaterThan: z.number().optional(),
  mustBeGreaterOrEqualTo: z.number().optional(),
  mustBeLessThan: z.number().optional(),
  mustBeLessOrEqualTo: z.number().optional(),
  mustBeBetween: z.tuple([z.number(), z.number()]).optional(),
  when: z.enum(CHECK_TIMES).optional(),
  on_fail: z.enum(["block", "warn"], {
    error: "on_fail is block or warn: the rows of a model are those of its SELECT, so none can go into quarantine",
  }),
};
const columnName = z.string().min(1);
const check = z
  .discriminatedUnion("metric", [
    z.strictObject({ metric: z.literal("rowCount"), ...thresholds }),
    z.strictObject({ metric: z.enum(["nullValues", "missingValues"]), column: columnName, ...thresholds }),
    z.strictObject({
      metric: z.literal("invalidValues"),
      column: columnName,
      validValues: z.array(z.union([z.string(), z.number(), z.boolean()]).transform(String)).min(1),
      ...thresholds,
    }),
    z.strictObject({ metric: z.literal("duplicateValues"), columns: z.array(columnName).min(1), ...thresholds }),
  ])
  .refine((value) => Object.keys(value).filter((name) => name.startsWith("must")).length === 1, {
    message: "a check has exactly one threshold (mustBe, mustBeGreaterThan, ...)",
  });

const RELATIONS = "same, last(N), next(N), within(week), within(month), all or latest";
/** `last(1)` would be `same`; a year is what a window may look back or ahead. */
const DAYS = { least: 2, most: 366 };

const relation = z.string().transform((text, context): Relation => {
  const [, kind, argument] = /^([a-z]+)(?:\((\w+)\))?$/.exec(text.replaceAll(" ", "")) ?? [];
  const days = Number(argument);
  if ((kind === "last" || kind === "next") && days >= DAYS.least && days <= DAYS.most && Number.isInteger(days))
    return { kind, days };
  if (kind === "within" && (argument === "week" || argument === "month")) return { kind, unit: argument };
  if (argument === undefined && (kind === "same" || kind === "all" || kind === "latest")) return { kind };
  context.addIssue({
    code: "custom",
    message: `"${text}" is no relation: ${RELATIONS}, N from ${DAYS.least} to ${DAYS.most}`,
  });
  return z.NEVER;
});

const schema = z.strictObject({
  description: z.string().min(1),
  partition: columnName.optional(),
  inputs: z.record(columnName, relation).default({}),
  key: z.array(columnName).min(1),
  checks: z.array(check).default([]),
  max_rows: z.int().positive().optional(),
  build_after: duration.optional(),
  limit_per_partition: z.boolean().default(false),
  engine: z.enum(ENGINES).default("auto"),
});

const OPEN = /^\uFEFF?\s*\/\*\s*---[ \t]*\r?\n/;
const CLOSE = /^[ \t]*---[ \t]*\*\//m;
const LINES = "description, partition, key, checks, inputs, max_rows, build_after, limit_per_partition, engine";
const FORM = `begin the file with \`/* ---\`, the YAML (${LINES}), \`--- */\``;

/** Splits a model file and checks its front matter; `undefined` when that went wrong, and `problems` says why. */
export function parseModelFile(text: string, problems: Problems): ModelFile | undefined {
  const start = OPEN.exec(text)?.[0].length;
  if (start === undefined) {
    problems.report(0, "the front matter is missing", FORM);
    return undefined;
  }
  const close = CLOSE.exec(text.slice(start));
  if (close === null) {
    problems.report(0, "the front matter is not closed", FORM);
    return undefined;
  }
  const yaml = text.slice(start, start + close.index);
  const document = parseDocument(yaml);
  for (const error of document.errors) {
    problems.report(start + error.pos[0], `the front matter is not YAML: ${firstLine(error.message)}`, "correct it");
  }
  if (document.errors.length > 0) return undefined;

  const offsetOf = (path: readonly (string | number)[]): number => {
    for (let depth = path.length; depth > 0; depth--) {
      const node = document.getIn(path.slice(0, depth), true);
      const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
      if (Array.isArray(range) && typeof range[0] === "number") return start + range[0];
    }
    return isMap(document.contents) ? start + (document.contents.range?.[0] ?? 0) : start;
  };

  const value = dataOf(document);
  if (value instanceof ReferenceError) {
    problems.report(start, `the front matter is not YAML: ${firstLine(value.message)}`, "write the values out");
    return undefined;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path.filter((part) => typeof part !== "symbol");
      problems.report(
        offsetOf(path),
        `front matter${path.length === 0 ? "" : ` ${path.join(".")}`}: ${issue.message}`,
        `the front matter holds ${LINES}`,
      );
    }
    return undefined;
  }
  const sqlOffset = start + close.index + close[0].length;
  return {
    frontMatter: { ...parsed.data, checks: parsed.data.checks.map(tidy) },
    sql: text.slice(sqlOffset),
    sqlOffset,
    offsetOf,
  };
}

/** The document as data; yaml's own error where aliases multiply beyond measure. */
function dataOf(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (error instanceof ReferenceError) return error;
    throw error;
  }
}

/** zod types what is absent as `undefined`; the IR leaves it out. */
function tidy(parsed: z.infer<typeof check>): ModelCheck {
  const {
    mustBe,
    mustNotBe,
    mustBeGreaterThan,
    mustBeGreaterOrEqualTo,
    mustBeLessThan,
    mustBeLessOrEqualTo,
    mustBeBetween,
    when,
    ...rest
  } = parsed;
  return {
    ...rest,
    ...(mustBe !== undefined && { mustBe }),
    ...(mustNotBe !== undefined && { mustNotBe }),
    ...(mustBeGreaterThan !== undefined && { mustBeGreaterThan }),
    ...(mustBeGreaterOrEqualTo !== undefined && { mustBeGreaterOrEqualTo }),
    ...(mustBeLessThan !== undefined && { mustBeLessThan }),
    ...(mustBeLessOrEqualTo !== undefined && { mustBeLessOrEqualTo }),
    ...(mustBeBetween !== undefined && { mustBeBetween }),
    ...(when !== undefined && { when }),
  };
}

function firstLine(message: string): string {
  return message.split("\n")[0] ?? message;
}
