/**
 * A contract and one of its released schemas as one tree: what each field must be. The fast pass, the description of
 * errors and the residue all walk this tree, so they cannot differ in what they demand.
 */
import type { Contract, FieldRule, Masking } from "../../contracts/contract.ts";
import { hasMaskedFields } from "../../contracts/masking.ts";
import { compilePattern, type Pattern } from "../../contracts/patterns/pattern.ts";
import { valueText } from "../../contracts/value-text.ts";
import { type AvroRecord, type AvroType, unwrapOptional } from "../../schemas/avro-schema.ts";
import { unscaledBound } from "../../schemas/decimal.ts";
import { pointerOf } from "../../schemas/event-residue.ts";
import { hasMaskedForm } from "../masking/tags.ts";
import { planProblems } from "./plan-limits.ts";

/** How to treat texts that already look masked (see `TextPlan`). */
export type OnMasked = "judge" | "keep";

/** Bounds are inclusive; null: none. */
export interface Bounds {
  readonly minimum: number | null;
  readonly maximum: number | null;
}

export interface TextPlan {
  readonly kind: "string";
  readonly minLength: number;
  readonly maxLength: number;
  readonly pattern: Pattern | null;
  /** How the value is stored; null: as it is. The rules hold for the clear value. */
  readonly masking: Masking | null;
  /**
   * How a text is treated that already looks masked. `judge`: as any other (requests: a producer can write anything). `keep`: it stays as it
   * is (replays: it was judged before it was masked).
   */
  readonly onMasked: OnMasked;
}
export interface IntegerPlan extends Bounds {
  readonly kind: "integer";
  readonly typeName: "int" | "long";
  /** The range of the Avro type. */
  readonly lowest: bigint;
  readonly highest: bigint;
}
export interface DoublePlan extends Bounds {
  readonly kind: "double";
}
export interface DecimalPlan extends Bounds {
  readonly kind: "decimal";
  readonly precision: number;
  readonly scale: number;
  /** 10^scale. */
  readonly factor: number;
  /** The largest unscaled integer whose canonical form is a JSON number of this precision. */
  readonly largest: number;
  /** The bounds as unscaled integers: digits past a double's count too. */
  readonly least: bigint | null;
  readonly most: bigint | null;
}
export interface PlainPlan {
  readonly kind: "boolean" | "date";
}
export interface TimestampPlan {
  readonly kind: "timestamp";
  /** Whether this is the contract's event time, which the window judges. */
  readonly eventTime: boolean;
}
export interface ArrayPlan {
  readonly kind: "array";
  readonly minItems: number;
  readonly maxItems: number;
  readonly item: ValuePlan;
}
export interface RecordPlan {
  readonly kind: "record";
  readonly fields: readonly FieldPlan[];
  readonly byName: ReadonlyMap<string, FieldPlan>;
  /** Whether the topic masks any field: then unknown fields are sealed, and neither their names nor values are shown. */
  readonly pii: boolean;
}
/** How much of a value error details may show: anything, what is no object or array, or nothing. */
export type Disclosure = "any" | "scalars" | "nothing";
type Shape = TextPlan | IntegerPlan | DoublePlan | DecimalPlan | PlainPlan | TimestampPlan | ArrayPlan | RecordPlan;
interface Demanded {
  /** The name that rule ids begin with: `orders.items.quantity`. */
  readonly rule: string;
  readonly accepted: ReadonlySet<string> | null;
  readonly disclosure: Disclosure;
}
export type ValuePlan = Shape & Demanded;
export type ScalarPlan = Exclude<Shape, ArrayPlan | RecordPlan> & Demanded;
export interface FieldPlan {
  readonly name: string;
  readonly required: boolean;
  /** Where null stands in the field's Avro union, 0 or 1; null for a required field. */
  readonly nullBranch: number | null;
  readonly value: ValuePlan;
  /** The member of `lexical` that says: this field of the event itself was sent as null. */
  readonly nullEntry: string;
}

/** The largest event, envelope included: with its header it still fits a queue message of 128 KB (DESIGN 4). */
export const MAX_EVENT_BYTES = 100_000;

const INT_MAX = 2n ** 31n - 1n;
const LONG_MAX = 2n ** 63n - 1n;

/** Builds the tree. Throws for a schema that breaks a limit (`plan-limits.ts`), which the build has refused. */
export function compilePlan(contract: Contract, schema: AvroRecord, onMasked: OnMasked = "judge"): RecordPlan {
  const [problem] = planProblems(schema);
  if (problem !== undefined) throw new Error(`${contract.topic}: ${problem.message}`);
  const traits = { pii: hasMaskedFields(contract), onMasked };
  return compileRecord(schema, contract.fields, contract.topic, contract.eventTime, traits);
}

/** What all fields of a plan have in common. */
interface Traits {
  readonly pii: boolean;
  readonly onMasked: OnMasked;
}

/** Whether the producer sent a value masked, which admission then keeps: the rules of its field are for clear values, and are not asked. */
export function isKeptMasked(value: unknown, plan: ValuePlan): boolean {
  return (
    plan.kind === "string" &&
    plan.masking !== null &&
    plan.onMasked === "keep" &&
    typeof value === "string" &&
    hasMaskedForm(value)
  );
}

function compileRecord(
  schema: AvroRecord,
  rules: readonly FieldRule[],
  path: string,
  eventTime: string | null,
  traits: Traits,
): RecordPlan {
  const ruleByName = new Map(rules.map((rule) => [rule.name, rule]));
  const fields = schema.fields.map((field): FieldPlan => {
    const { type, nullable } = unwrapOptional(field.type);
    const rule = `${path}.${field.name}`;
    const value = compileValue(type, ruleByName.get(field.name), rule, field.name === eventTime, traits);
    const nullEntry = `${JSON.stringify(pointerOf([field.name]))}:null`;
    const nullBranch = nullable ? Number(Array.isArray(field.type) && field.type[0] !== "null") : null;
    return { name: field.name, required: !nullable, nullBranch, value, nullEntry };
  });
  return { kind: "record", fields, byName: new Map(fields.map((field) => [field.name, field])), pii: traits.pii };
}

function compileValue(
  type: AvroType,
  rule: FieldRule | undefined,
  path: string,
  eventTime: boolean,
  traits: Traits,
): ValuePlan {
  const shape = compileShape(type, rule, path, eventTime, traits);
  const accepted =
    rule?.accepted === undefined
      ? null
      : new Set(rule.accepted.flatMap((text) => acceptedText(shape.kind, text) ?? []));
  return { ...shape, rule: path, accepted, disclosure: traits.pii ? disclosureOf(shape) : "any" };
}

/** The text by which a value of a field is looked up among its accepted ones; undefined for a value of another type. */
export function acceptedText(kind: Shape["kind"], value: unknown): string | undefined {
  switch (kind) {
    case "string":
      return valueText("text", value);
    case "integer":
    case "double":
    case "decimal":
      return valueText("number", value);
    case "boolean":
    case "date":
    case "timestamp":
      return valueText(kind, value);
    case "array":
    case "record":
      return undefined;
  }
}

/** In a topic with masked fields. Whatever stands in place of an object or array may hold what would be masked inside it. */
function disclosureOf(shape: Shape): Disclosure {
  if (shape.kind === "record" || shape.kind === "array") return "nothing";
  return shape.kind === "string" && shape.masking !== null ? "nothing" : "scalars";
}

function compileShape(
  optional: AvroType,
  rule: FieldRule | undefined,
  path: string,
  eventTime: boolean,
  traits: Traits,
): Shape {
  const { type, nullable } = unwrapOptional(optional);
  if (nullable || type === "null" || type === "bytes")
    throw new Error(`${path}: ${JSON.stringify(optional)} is not supported here`);
  const bounds: Bounds = { minimum: rule?.minimum ?? null, maximum: rule?.maximum ?? null };
  if (type === "string") {
    return {
      kind: "string",
      minLength: rule?.minLength ?? 0,
      maxLength: rule?.maxLength ?? Number.POSITIVE_INFINITY,
      pattern: rule?.pattern === undefined ? null : compilePattern(rule.pattern, "ecma"),
      masking: rule?.masking ?? null,
      onMasked: traits.onMasked,
    };
  }
  if (type === "boolean") return { kind: "boolean" };
  if (type === "double") return { kind: "double", ...bounds };
  if (type === "int") return { kind: "integer", typeName: "int", lowest: -INT_MAX - 1n, highest: INT_MAX, ...bounds };
  if (type === "long")
    return { kind: "integer", typeName: "long", lowest: -LONG_MAX - 1n, highest: LONG_MAX, ...bounds };
  switch (type.type) {
    case "long":
      return { kind: "timestamp", eventTime };
    case "int":
      return { kind: "date" };
    case "bytes":
      return {
        kind: "decimal",
        precision: type.precision,
        scale: type.scale,
        factor: 10 ** type.scale,
        largest: Math.min(10 ** type.precision - 1, CANONICAL_MAX),
        least: bounds.minimum === null ? null : unscaledBound(bounds.minimum, type.scale, "ceil"),
        most: bounds.maximum === null ? null : unscaledBound(bounds.maximum, type.scale, "floor"),
        ...bounds,
      };
    case "record":
      return compileRecord(type, rule?.fields ?? [], path, null, traits);
    case "array":
      return {
        kind: "array",
        minItems: rule?.minItems ?? 0,
        maxItems: rule?.maxItems ?? Number.POSITIVE_INFINITY,
        item: compileValue(type.items, rule?.item, path, false, traits),
      };
  }
}

/** Whether a number is within the field's bounds. */
export function withinBounds(value: number | bigint, plan: Bounds): boolean {
  return (plan.minimum === null || value >= plan.minimum) && (plan.maximum === null || value <= plan.maximum);
}

/** Whether a text has as many characters (code points, as in JSON Schema) as the field allows. */
export function fitsLength(text: string, plan: TextPlan): boolean {
  const units = text.length;
  // A code point is one or two code units: counting is only needed between the two.
  if (units <= plan.maxLength && units >= plan.minLength * 2) return true;
  if (units < plan.minLength || units > plan.maxLength * 2) return false;
  const points = lengthOf(text);
  return points >= plan.minLength && points <= plan.maxLength;
}

/** The number of code points. */
export function lengthOf(text: string): number {
  let points = 0;
  for (const _point of text) points++;
  return points;
}

/** `jsonFromUnscaled` gives a number below 2^52, a text from there on. */
const CANONICAL_MAX = 2 ** 52 - 1;
