/** An `.avsc` file as the subset of Avro that Sluice supports. */
import { z } from "zod";
import type { AvroRecord } from "../../../schemas/avro-schema.ts";
import type { BuildProblem } from "../problem.ts";
import { describeAvscIssue } from "./avsc-problem.ts";

const name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);

const primitive = z.enum(["boolean", "int", "long", "double", "string"]);
const timestamp = z.strictObject({ type: z.literal("long"), logicalType: z.literal("timestamp-micros") });
const date = z.strictObject({ type: z.literal("int"), logicalType: z.literal("date") });
const decimal = z
  .strictObject({
    type: z.literal("bytes"),
    logicalType: z.literal("decimal"),
    precision: z.int().min(1).max(38),
    scale: z.int().min(0).max(18),
  })
  .refine((type) => type.scale <= type.precision, "a decimal's scale is at most its precision");

const array = z.strictObject({
  type: z.literal("array"),
  get items() {
    return value;
  },
});
const record = z.strictObject({
  type: z.literal("record"),
  name,
  namespace: z.string().optional(),
  doc: z.string().optional(),
  get fields() {
    return z.array(field).min(1);
  },
});
const value = z.union([primitive, timestamp, date, decimal, array, record]);
const optional = z.union([z.tuple([z.literal("null"), value]), z.tuple([value, z.literal("null")])]);
const field = z.strictObject({
  name,
  doc: z.string().optional(),
  get type() {
    return z.union([value, optional]);
  },
  default: z.unknown().optional(),
});

export type ParsedAvsc =
  | { readonly ok: true; readonly record: AvroRecord }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Parses and checks the text of an `.avsc` file. */
export function parseAvsc(text: string): ParsedAvsc {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { ok: false, problems: [`is not JSON: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const parsed = record.safeParse(json);
  if (parsed.success) return { ok: true, record: dropUndefined(parsed.data) };
  return {
    ok: false,
    problems: parsed.error.issues.map((issue) => describeAvscIssue(json, issue)),
  };
}

// zod types an absent optional key as `T | undefined`; the schema types say "absent". A trip through JSON makes it so.
function dropUndefined(parsed: z.infer<typeof record>): AvroRecord {
  return JSON.parse(JSON.stringify(parsed));
}

export function buildProblemsOf(file: string, problems: readonly string[]): BuildProblem[] {
  return problems.map((message) => ({ file, line: undefined, message }));
}
