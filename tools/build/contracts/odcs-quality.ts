/** The quality checks of ODCS v3.1. Sluice executes those of type library and sql; the others are accepted, and inform people. */
import { z } from "zod";
import { authoritativeDefinitions, customProperties, stableId, tags } from "./odcs-documentation.ts";

const between = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, "the two bounds are different numbers, the lower one first");

const bounds = {
  mustBe: z.number().optional(),
  mustNotBe: z.number().optional(),
  mustBeGreaterThan: z.number().optional(),
  mustBeGreaterOrEqualTo: z.number().optional(),
  mustBeLessThan: z.number().optional(),
  mustBeLessOrEqualTo: z.number().optional(),
  mustBeBetween: between.optional(),
  mustNotBeBetween: between.optional(),
};

function hasOneBound(check: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(bounds).filter((name) => check[name] !== undefined).length === 1;
}
const ONE_BOUND = `a check has exactly one of ${Object.keys(bounds).join(", ")}`;

/** The dimensions of the standard, with the short forms of its text. */
const DIMENSIONS = [
  ...["accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"],
  ...["ac", "cp", "cf", "cs", "cv", "tm", "uq"],
];

/** A value that a check names: null, or one of any of the types that YAML has. */
const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const common = {
  id: stableId.optional(),
  name: z.string().optional(),
  description: z.string().optional(),
  businessImpact: z.string().optional(),
  dimension: z.enum(DIMENSIONS).optional(),
  method: z.string().optional(),
  schedule: z.string().optional(),
  scheduler: z.string().optional(),
  severity: z.string().optional(),
  tags: tags.optional(),
  authoritativeDefinitions: authoritativeDefinitions.optional(),
  customProperties: customProperties.optional(),
};

const library = z
  .strictObject({
    ...common,
    type: z.literal("library").optional(),
    metric: z.enum(["rowCount", "nullValues", "missingValues", "invalidValues", "duplicateValues"]),
    unit: z.enum(["rows", "percent"]).optional(),
    arguments: z
      .strictObject({
        validValues: z.array(value).optional(),
        missingValues: z.array(value).optional(),
        pattern: z.string().optional(),
        properties: z.array(z.string()).optional(),
      })
      .optional(),
    ...bounds,
  })
  .refine(hasOneBound, ONE_BOUND);

const unit = z.string().optional();
const text = z.strictObject({ ...common, type: z.literal("text"), unit });
/** The answer of a query may be a number, or true or false. */
const measure = z.union([z.number(), z.boolean()]).optional();
const sql = z
  .strictObject({
    ...common,
    ...bounds,
    mustBe: measure,
    mustNotBe: measure,
    type: z.literal("sql"),
    unit,
    query: z.string(),
  })
  .refine(hasOneBound, ONE_BOUND);
const custom = z.strictObject({
  ...common,
  type: z.literal("custom"),
  unit,
  engine: z.string(),
  implementation: z.union([z.string(), z.looseObject({})]),
});

export const quality = z.array(z.discriminatedUnion("type", [library, text, sql, custom]));
/** What stands under `quality`. */
export type OdcsQualityEntry = z.infer<typeof quality>[number];
export type OdcsLibraryCheck = z.infer<typeof library>;
export type OdcsSqlCheck = z.infer<typeof sql>;

/** The library checks, in the document's order. */
export function libraryChecks(entries: readonly OdcsQualityEntry[] | undefined): readonly OdcsLibraryCheck[] {
  return (entries ?? []).flatMap((entry) => ("metric" in entry ? [entry] : []));
}
