/**
 * The part of ODCS v3.1 that Sluice reads, as zod. Strict where Sluice gives a meaning (an unknown key there is a typo),
 * open where the standard allows what Sluice ignores.
 */
import { z } from "zod";
import { COMPATIBILITY_MODES } from "../../../schemas/compatibility/modes.ts";
import { duration } from "../duration.ts";
import { classification } from "./classification.ts";
import { formatProblem, withoutFormat } from "./formats.ts";
import {
  authoritativeDefinitions,
  customProperties,
  documentationShape,
  elementShape,
  propertyRelationships,
  stableId,
  tableRelationships,
} from "./odcs-documentation.ts";
import { quality } from "./odcs-quality.ts";
import { topicNameProblem } from "./topic-name.ts";

/** By logical type, the options that mean something here. Others of the standard would be promises that nobody keeps. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  string: ["minLength", "maxLength", "pattern", "format"],
  integer: ["minimum", "maximum", "format"],
  number: ["minimum", "maximum", "format"],
  timestamp: ["format"],
  date: ["format"],
  array: ["minItems", "maxItems"],
};
/** Lower and upper bounds that go together. */
const PAIRS = [
  ["minimum", "maximum"],
  ["minLength", "maxLength"],
  ["minItems", "maxItems"],
] as const;

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

interface Typed {
  readonly logicalType: string;
  readonly logicalTypeOptions?: z.infer<typeof logicalTypeOptions> | undefined;
  readonly items?: unknown;
  readonly properties?: unknown;
}

/** What a logical type does not go with. */
function typeProblems({ logicalType, logicalTypeOptions: options = {}, items, properties }: Typed): string[] {
  const allowed = OPTIONS[logicalType] ?? [];
  const unknown = Object.entries(options).filter(([name, value]) => value !== undefined && !allowed.includes(name));
  const format = formatProblem(logicalType, options);
  const held = withoutFormat(logicalType, options);
  return [
    ...unknown.map(([name]) => `${logicalType} has no option ${name}; it has ${allowed.join(", ") || "none"}`),
    ...(format === undefined ? [] : [format]),
    ...PAIRS.flatMap(([low, high]) => {
      const [least, most] = [held[low], held[high]];
      if (least === undefined || most === undefined || least <= most) return [];
      return [`${low} ${least} is above ${high} ${most}: no value is between them`];
    }),
    ...(items !== undefined && logicalType !== "array" ? ["only an array has items"] : []),
    ...(properties !== undefined && logicalType !== "object" ? ["only an object has properties"] : []),
  ];
}

function checkType(value: Typed, context: z.RefinementCtx): void {
  for (const message of typeProblems(value)) context.addIssue({ code: "custom", message });
}

const propertyShape = {
  ...elementShape,
  logicalType: z.enum(["string", "integer", "number", "boolean", "timestamp", "date", "array", "object"]),
  logicalTypeOptions: logicalTypeOptions.optional(),
  required: z.boolean().optional(),
  unique: z.boolean().optional(),
  primaryKey: z.boolean().optional(),
  primaryKeyPosition: z.int().optional(),
  partitioned: z.boolean().optional(),
  partitionKeyPosition: z.int().optional(),
  classification: classification.optional(),
  encryptedName: z.string().optional(),
  transformSourceObjects: z.array(z.string()).optional(),
  transformLogic: z.string().optional(),
  transformDescription: z.string().optional(),
  examples: z.array(z.unknown()).optional(),
  criticalDataElement: z.boolean().optional(),
  relationships: propertyRelationships.optional(),
  quality: quality.optional(),
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

const item: z.ZodType<OdcsItem> = z
  .strictObject({
    ...propertyShape,
    name: z.string().optional(),
    get properties() {
      return properties.optional();
    },
  })
  .superRefine(checkType);

const property: z.ZodType<OdcsProperty> = z
  .strictObject({
    ...propertyShape,
    name: z.string().regex(/^[a-z][a-z0-9_]*$/, "a field is named in lower_snake_case"),
    get items() {
      return item.optional();
    },
    get properties() {
      return properties.optional();
    },
  })
  .superRefine(checkType);

/** The fields of one level. A field that is described twice would be judged by one of the two only. */
const properties = z.array(property).superRefine((fields, context) => {
  for (const [index, { name }] of fields.entries()) {
    if (fields.findIndex((field) => field.name === name) < index)
      context.addIssue({
        code: "custom",
        path: [index],
        message: `the field "${name}" is described twice: remove one`,
      });
  }
});

export const odcs = z.strictObject({
  ...documentationShape,
  apiVersion: z.literal("v3.1.0"),
  kind: z.literal("DataContract"),
  id: z.string(),
  name: z.string().optional(),
  version: z.string().regex(/^\d+\.\d+\.\d+$/, "a version is MAJOR.MINOR.PATCH"),
  status: z.enum(["proposed", "draft", "active", "deprecated", "retired"]),
  domain: z.string().optional(),
  description: z
    .looseObject({
      purpose: z.string().optional(),
      usage: z.string().optional(),
      limitations: z.string().optional(),
      authoritativeDefinitions: authoritativeDefinitions.optional(),
      customProperties: customProperties.optional(),
    })
    .optional(),
  schema: z.tuple([
    z.strictObject({
      ...elementShape,
      name: z.string().superRefine((name, context) => {
        const message = topicNameProblem(name);
        if (message !== undefined) context.addIssue({ code: "custom", message });
      }),
      logicalType: z.literal("object").optional(),
      dataGranularityDescription: z.string().optional(),
      relationships: tableRelationships.optional(),
      properties: properties.min(1),
      quality: quality.optional(),
    }),
  ]),
  slaProperties: z
    .array(
      z.strictObject({
        id: stableId.optional(),
        property: z.string(),
        value: z.union([z.string(), z.number(), z.boolean(), z.null()]),
        valueExt: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
        unit: z.string().optional(),
        element: z.string().optional(),
        driver: z.string().optional(),
        description: z.string().optional(),
        scheduler: z.string().optional(),
        schedule: z.string().optional(),
      }),
    )
    .optional(),
  customProperties: customProperties.optional(),
});
export type Odcs = z.infer<typeof odcs>;

const powerOfTwo = z
  .int()
  .min(1)
  .max(256)
  .refine((n) => (n & (n - 1)) === 0, "shards is a power of two: 1, 2, 4, ... 256");

/** What the standard has no word for; each is a `customProperties` entry at the root. Defaults are DESIGN section 5's. */
export const extensions = z.strictObject({
  mode: z
    .literal("append", {
      error: "mode is append: upsert is not built yet; the newest row of a key is a query (ORDER BY the order column)",
    })
    .default("append"),
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
  buildAfter: duration.default(600_000),
  replayWindow: duration
    .refine(
      (ms) => ms > 0,
      "replayWindow is how far back peek and replay may go: give it a length above 0, such as P7D",
    )
    .default(7 * 86_400_000),
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
