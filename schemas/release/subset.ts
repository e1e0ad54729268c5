/** The subset of Avro that can be released (`avro-schema.ts`), as a check of a schema's JSON value. */
import * as z from "zod";
import type { AvroRecord } from "../avro-schema.ts";
import { describeIssue, type SchemaFault } from "./describe-issue.ts";

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

export type InSubset =
  | { readonly ok: true; readonly record: AvroRecord }
  | { readonly ok: false; readonly faults: readonly SchemaFault[] };

/** The value as a record of the subset, or everything that is not of it. */
export function inSubset(json: unknown): InSubset {
  const parsed = record.safeParse(json);
  if (parsed.success) return { ok: true, record: dropUndefined(parsed.data) };
  return { ok: false, faults: parsed.error.issues.map((issue) => describeIssue(json, issue)) };
}

// zod types an absent optional key as `T | undefined`; the schema types say "absent". A trip through JSON makes it so.
function dropUndefined(parsed: z.infer<typeof record>): AvroRecord {
  return JSON.parse(JSON.stringify(parsed));
}
