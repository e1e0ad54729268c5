/**
 * The part of ODCS v3.1 that Sluice reads, as zod. Strict where Sluice gives a meaning (an unknown key there is a typo),
 * open where the standard allows what Sluice ignores.
 */
import { z } from "zod";
import { COMPATIBILITY_MODES } from "../../../schemas/compatibility/modes.ts";

const customProperty = z.strictObject({
  property: z.string(),
  value: z.unknown(),
  description: z.string().optional(),
  id: z.string().optional(),
});

const bounds = {
  mustBe: z.number().optional(),
  mustNotBe: z.number().optional(),
  mustBeGreaterThan: z.number().optional(),
  mustBeGreaterOrEqualTo: z.number().optional(),
  mustBeLessThan: z.number().optional(),
  mustBeLessOrEqualTo: z.number().optional(),
  mustBeBetween: z.tuple([z.number(), z.number()]).optional(),
  mustNotBeBetween: z.tuple([z.number(), z.number()]).optional(),
};

const quality = z.strictObject({
  id: z.string().optional(),
  name: z.string().optional(),
  description: z.string().optional(),
  type: z.literal("library").optional(),
  metric: z.enum(["rowCount", "nullValues", "missingValues", "invalidValues", "duplicateValues"]),
  unit: z.enum(["rows", "percent"]).optional(),
  severity: z.string().optional(),
  dimension: z.string().optional(),
  arguments: z
    .strictObject({
      validValues: z.array(z.string()).optional(),
      missingValues: z.array(z.string()).optional(),
      properties: z.array(z.string()).optional(),
    })
    .optional(),
  customProperties: z.array(customProperty).optional(),
  ...bounds,
});
export type OdcsQuality = z.infer<typeof quality>;

const logicalTypeOptions = z.strictObject({
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.int().min(0).optional(),
  maxLength: z.int().min(0).optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minItems: z.int().min(0).optional(),
  maxItems: z.int().min(0).optional(),
});

const propertyShape = {
  description: z.string().optional(),
  logicalType: z.enum(["string", "integer", "number", "boolean", "timestamp", "date", "array", "object"]),
  logicalTypeOptions: logicalTypeOptions.optional(),
  physicalType: z.string().optional(),
  required: z.boolean().optional(),
  unique: z.boolean().optional(),
  primaryKey: z.boolean().optional(),
  primaryKeyPosition: z.int().optional(),
  partitioned: z.boolean().optional(),
  classification: z.string().optional(),
  examples: z.array(z.unknown()).optional(),
  tags: z.array(z.string()).optional(),
  quality: z.array(quality).optional(),
  customProperties: z.array(customProperty).optional(),
};

const shape = z.strictObject(propertyShape);

/** A field. Written out because a recursive schema cannot infer its own type. */
export type OdcsProperty = z.infer<typeof shape> & {
  readonly name: string;
  readonly items?: OdcsItem | undefined;
  readonly properties?: readonly OdcsProperty[] | undefined;
};
/** The element of an array: a field that needs no name. */
export type OdcsItem = z.infer<typeof shape> & {
  readonly name?: string | undefined;
  readonly properties?: readonly OdcsProperty[] | undefined;
};

const item: z.ZodType<OdcsItem> = z.strictObject({
  ...propertyShape,
  name: z.string().optional(),
  get properties() {
    return z.array(property).optional();
  },
});

const property: z.ZodType<OdcsProperty> = z.strictObject({
  ...propertyShape,
  name: z.string().regex(/^[a-z][a-z0-9_]*$/, "a field is named in lower_snake_case"),
  get items() {
    return item.optional();
  },
  get properties() {
    return z.array(property).optional();
  },
});

export const odcs = z.looseObject({
  apiVersion: z.literal("v3.1.0"),
  kind: z.literal("DataContract"),
  id: z.string(),
  name: z.string().optional(),
  version: z.string().regex(/^\d+\.\d+\.\d+$/, "a version is MAJOR.MINOR.PATCH"),
  status: z.enum(["proposed", "draft", "active", "deprecated", "retired"]),
  domain: z.string().optional(),
  description: z.looseObject({ purpose: z.string().optional() }).optional(),
  schema: z.tuple([
    z.strictObject({
      name: z.string().regex(/^[a-z][a-z0-9_]*$/, "a topic is named in lower_snake_case"),
      logicalType: z.literal("object").optional(),
      physicalType: z.string().optional(),
      physicalName: z.string().optional(),
      description: z.string().optional(),
      properties: z.array(property).min(1),
      quality: z.array(quality).optional(),
    }),
  ]),
  slaProperties: z
    .array(
      z.looseObject({
        property: z.string(),
        value: z.union([z.string(), z.number(), z.boolean(), z.null()]),
        unit: z.string().optional(),
      }),
    )
    .optional(),
  customProperties: z.array(customProperty).optional(),
});
export type Odcs = z.infer<typeof odcs>;

const duration = z.string().transform((text, context) => {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (match === null || text === "P" || text.endsWith("T")) {
    context.addIssue({ code: "custom", message: `"${text}" is not an ISO 8601 duration such as P7D, PT1H or PT60S` });
    return z.NEVER;
  }
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 + (seconds ?? 0) * 1_000;
});

const powerOfTwo = z
  .int()
  .min(1)
  .max(256)
  .refine((n) => (n & (n - 1)) === 0, "shards is a power of two: 1, 2, 4, ... 256");

/** What the standard has no word for; each is a `customProperties` entry at the root. Defaults are DESIGN section 5's. */
export const extensions = z.strictObject({
  mode: z.enum(["append", "upsert"]).default("append"),
  dedupeKey: z.array(z.string()).min(1).optional(),
  shardKey: z.array(z.string()).min(1).optional(),
  shards: powerOfTwo.default(1),
  eventTime: z.string(),
  eventTimeWindow: z.strictObject({ past: duration, future: duration }).optional(),
  lateness: duration.default(3_600_000),
  partition: z.strictObject({
    column: z.string().regex(/^[a-z][a-z0-9_]*$/),
    source: z.enum(["event", "received"]),
  }),
  unknownFields: z.enum(["keep", "reject"]).default("keep"),
  compatibility: z.enum(COMPATIBILITY_MODES).default("FULL_TRANSITIVE"),
  flush: z
    .strictObject({
      bytes: z.int().positive().default(16_000_000),
      rows: z.int().positive().default(100_000),
      age: duration.default(60_000),
    })
    .prefault({}),
  platformOnly: z.boolean().default(false),
  rules: z
    .array(
      z.strictObject({
        id: z.string(),
        pointer: z.string().regex(/^(\/.*)?$/, "a JSON pointer starts with /"),
        description: z.string(),
        expression: z.string(),
      }),
    )
    .default([]),
});
export type Extensions = z.infer<typeof extensions>;
