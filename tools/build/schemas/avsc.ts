/** An `.avsc` file as the subset of Avro that Sluice supports. */
import { z } from "zod";
import type { AvroRecord } from "../../../schemas/avro-schema.ts";
import { InvalidSchema, parseSchema } from "../../../schemas/canonical/parse.ts";
import { parseYaml } from "../contracts/yaml-document.ts";
import type { BuildProblem } from "../problem.ts";
import { describeAvscIssue, placeOf } from "./avsc-problem.ts";

// What a name may be is judged by `parseSchema`, as of every schema from outside.
const name = z.string();

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
  | { readonly ok: false; readonly problems: readonly BuildProblem[] };

/** Parses and checks the text of an `.avsc` file: Avro's rules, and that it is of the subset. `file` is for the problems. */
export function parseAvsc(file: string, text: string): ParsedAvsc {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const message = `is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    return { ok: false, problems: [{ file, line: undefined, message }] };
  }
  // JSON is YAML too: its reader knows on which line a value stands, and sees a key that is there twice.
  const lines = parseYaml(file, text);
  if (lines.problems.length > 0) return { ok: false, problems: lines.problems };
  const parsed = record.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const { path, message } = describeAvscIssue(json, issue);
      return { file, line: lines.lineOf(path), message };
    });
    return { ok: false, problems };
  }
  try {
    parseSchema(json);
  } catch (error) {
    if (!(error instanceof InvalidSchema)) throw error;
    const message = `${placeOf(json, error.path)}: ${error.reason}`;
    return { ok: false, problems: [{ file, line: lines.lineOf(error.path), message }] };
  }
  return { ok: true, record: dropUndefined(parsed.data) };
}

// zod types an absent optional key as `T | undefined`; the schema types say "absent". A trip through JSON makes it so.
function dropUndefined(parsed: z.infer<typeof record>): AvroRecord {
  return JSON.parse(JSON.stringify(parsed));
}
