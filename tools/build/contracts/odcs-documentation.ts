/**
 * The parts of ODCS v3.1 that only inform people: Sluice accepts them as the standard has them and executes nothing of
 * them. Open where the standard is open, strict where it is strict.
 */
import { z } from "zod";

/** An identifier inside a document (StableId of the standard). */
export const stableId = z.string().regex(/^[A-Za-z0-9_-]+$/, "an id has letters, digits, - and _ only");

export const tags = z.array(z.string());

/** One extension. `value` may be anything, but it must be there. */
const customProperty = z
  .strictObject({
    property: z.string(),
    value: z.unknown(),
    description: z.string().optional(),
    id: stableId.optional(),
  })
  .refine((entry) => entry.value !== undefined, { message: "a custom property needs a value", path: ["value"] });

/** Extensions by their names: of two with one name only one could be meant. */
export const customProperties = z.array(customProperty).superRefine((entries, context) => {
  for (const [index, { property }] of entries.entries()) {
    if (entries.findIndex((entry) => entry.property === property) < index)
      context.addIssue({ code: "custom", path: [index], message: `the custom property ${property} is given twice` });
  }
});

export const authoritativeDefinitions = z.array(
  z.strictObject({ id: stableId.optional(), url: z.string(), type: z.string(), description: z.string().optional() }),
);

const name = "[A-Za-z_][A-Za-z0-9_]*";
const key = "[A-Za-z0-9_-]+";
const reference = z
  .string()
  .regex(
    new RegExp(
      `^${name}\\.${name}$|^(?:(?:https?:\\/\\/)?[A-Za-z0-9._\\-\\/]+\\.yaml#)?\\/?${name}\\/${key}(?:\\/${name}\\/${key})*$`,
    ),
    "a reference is table.column, or a path such as schema/table/properties/column",
  );
const references = z.array(reference).min(1);
const relationship = { type: z.literal("foreignKey").optional(), customProperties: customProperties.optional() };

export const propertyRelationships = z.array(z.strictObject({ ...relationship, to: z.union([reference, references]) }));
export const tableRelationships = z.array(
  z.union([
    z.strictObject({ ...relationship, from: reference, to: reference }),
    z.strictObject({ ...relationship, from: references, to: references }),
  ]),
);

/** What tables and fields have in common. */
export const elementShape = {
  id: stableId.optional(),
  physicalName: z.string().optional(),
  physicalType: z.string().optional(),
  description: z.string().optional(),
  businessName: z.string().optional(),
  authoritativeDefinitions: authoritativeDefinitions.optional(),
  tags: tags.optional(),
  customProperties: customProperties.optional(),
};

const documented = {
  id: stableId.optional(),
  description: z.string().optional(),
  customProperties: customProperties.optional(),
};

const member = z.strictObject({
  ...documented,
  username: z.string(),
  name: z.string().optional(),
  role: z.string().optional(),
  dateIn: z.string().optional(),
  dateOut: z.string().optional(),
  replacedByUsername: z.string().optional(),
  tags: tags.optional(),
  authoritativeDefinitions: authoritativeDefinitions.optional(),
});
const team = z.strictObject({
  ...documented,
  name: z.string().optional(),
  members: z.array(member).optional(),
  tags: tags.optional(),
  authoritativeDefinitions: authoritativeDefinitions.optional(),
});

/** The sections of the document's root that inform people. */
export const documentationShape = {
  tenant: z.string().optional(),
  tags: tags.optional(),
  // Where a topic lives is for wrangler.toml to say; the thirty kinds of servers are not told apart here.
  servers: z.array(z.looseObject({ server: z.string(), type: z.string() })).optional(),
  dataProduct: z.string().optional(),
  support: z
    .array(
      z.strictObject({
        ...documented,
        channel: z.string(),
        url: z.string().optional(),
        tool: z.string().optional(),
        scope: z.string().optional(),
        invitationUrl: z.string().optional(),
      }),
    )
    .optional(),
  price: z
    .strictObject({
      id: stableId.optional(),
      priceAmount: z.number().optional(),
      priceCurrency: z.string().optional(),
      priceUnit: z.string().optional(),
    })
    .optional(),
  team: z.union([team, z.array(member)]).optional(),
  roles: z
    .array(
      z.strictObject({
        ...documented,
        role: z.string(),
        access: z.string().optional(),
        firstLevelApprovers: z.string().optional(),
        secondLevelApprovers: z.string().optional(),
      }),
    )
    .optional(),
  slaDefaultElement: z.string().optional(),
  authoritativeDefinitions: authoritativeDefinitions.optional(),
  contractCreatedTs: z.string().optional(),
};
