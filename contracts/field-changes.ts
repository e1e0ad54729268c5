/** What changes for the producers of a topic between two descriptions of its fields. Pure. */
import type { Contract, FieldRule, Masking } from "./contract.ts";
import { hasMaskedFields, isMasked } from "./masking.ts";

/** One difference. `breaking`: events that were accepted may be refused, or what was stored masked shows more from now on. */
export interface Change {
  readonly breaking: boolean;
  /** A field's path (`items[].quantity`), a rule's id, or the name of a setting. */
  readonly subject: string;
  readonly message: string;
}

/** A difference of one field. */
export interface FieldChange extends Change {
  readonly kind: "added" | "removed" | "changed";
  /** Names from the event down; `*` is every item of an array. */
  readonly path: readonly string[];
}

/** A field's path as people read it: `items[].quantity`. */
function subjectOf(path: readonly string[]): string {
  return path.reduce(
    (subject, name) => (name === "*" ? `${subject}[]` : subject === "" ? name : `${subject}.${name}`),
    "",
  );
}

/** The part of a contract that says how a field is taken and stored. */
type Described = Pick<Contract, "fields" | "unknownFields">;

/** The newer contract keeps or refuses a field that it does not describe. */
interface Unknown {
  readonly refused: boolean;
  /** Topics with masked fields encrypt `_extra`; others store it in the clear. */
  readonly encrypted: boolean;
}

/** The differences between two descriptions, nested fields included. */
export function fieldChanges(before: Pick<Described, "fields">, after: Described): FieldChange[] {
  const unknown = { refused: after.unknownFields === "reject", encrypted: hasMaskedFields(after) };
  return changesWithin(before.fields, after.fields, unknown, []);
}

function changesWithin(
  before: readonly FieldRule[],
  after: readonly FieldRule[],
  unknown: Unknown,
  parent: readonly string[],
): FieldChange[] {
  const removed = before.filter(({ name }) => !after.some((field) => field.name === name));
  return [
    ...removed.map((rule): FieldChange => {
      const path = [...parent, rule.name];
      return { kind: "removed", path, subject: subjectOf(path), ...removal(rule, unknown) };
    }),
    ...after.flatMap((field): FieldChange[] => {
      const old = before.find(({ name }) => name === field.name);
      const path = [...parent, field.name];
      if (old !== undefined) return oneField(old, field, unknown, path);
      const message = field.required ? "is added and required" : "is added, optional";
      return [{ kind: "added", path, breaking: field.required, subject: subjectOf(path), message }];
    }),
  ];
}

function removal(rule: FieldRule, { refused, encrypted }: Unknown): Pick<Change, "breaking" | "message"> {
  const unmasked = isMasked(rule) && !encrypted;
  if (refused) {
    const stored = unmasked ? "; it was masked, and dead letters keep it in the clear now" : "";
    return { breaking: true, message: `is removed, and unknown fields are refused${stored}` };
  }
  const stored = unmasked ? " in the clear, where it was masked" : "";
  return { breaking: unmasked, message: `is removed; who sends it has it kept in _extra${stored}` };
}

function oneField(before: FieldRule, after: FieldRule, unknown: Unknown, path: readonly string[]): FieldChange[] {
  const changes: FieldChange[] = [];
  const add = (breaking: boolean, message: string): void => {
    changes.push({ kind: "changed", path, breaking, subject: subjectOf(path), message });
  };
  if (before.masking !== after.masking)
    add(shows(after.masking) > shows(before.masking), `is stored ${form(after.masking)}, was ${form(before.masking)}`);
  if (before.kind !== after.kind) {
    add(true, `is ${after.kind}, was ${before.kind}`);
    return changes;
  }
  if (before.required !== after.required) add(after.required, after.required ? "is required now" : "is optional now");
  for (const bound of ["minimum", "minLength", "minItems"] as const) boundChange(before, after, bound, 1, add);
  for (const bound of ["maximum", "maxLength", "maxItems"] as const) boundChange(before, after, bound, -1, add);
  if (before.pattern !== after.pattern) {
    if (after.pattern === undefined) add(false, `has no pattern any more, was ${before.pattern}`);
    else
      add(
        true,
        `must match ${after.pattern}, ${before.pattern === undefined ? "had no pattern" : `was ${before.pattern}`}`,
      );
  }
  acceptedChange(before.accepted, after.accepted, add);
  const [item, newItem] = [before.item ?? undescribed(after.item), after.item ?? undescribed(before.item)];
  if (item !== undefined && newItem !== undefined) changes.push(...oneField(item, newItem, unknown, [...path, "*"]));
  changes.push(...changesWithin(before.fields ?? [], after.fields ?? [], unknown, path));
  return changes;
}

/** The item of an array whose items have no description: of the same kind, without rules or masking. */
function undescribed(item: FieldRule | undefined): FieldRule | undefined {
  return item === undefined ? undefined : { name: item.name, kind: item.kind, required: item.required };
}

/** How much of a value is to be seen where it is stored. A keyed hash tells equal values, an e-mail's form its domain too. */
const SHOWN: readonly (Masking | undefined)[] = ["redact", "hmac", "email", undefined];

function shows(masking: Masking | undefined): number {
  return SHOWN.indexOf(masking);
}

function form(masking: Masking | undefined): string {
  return masking === undefined ? "in the clear" : `masked (${masking})`;
}

type Add = (breaking: boolean, message: string) => void;
type BoundName = "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems";

/** `direction` 1: a greater bound is the tighter one; -1: a smaller. */
function boundChange(before: FieldRule, after: FieldRule, name: BoundName, direction: 1 | -1, add: Add): void {
  const [old, now] = [before[name], after[name]];
  if (old === now) return;
  if (now === undefined) add(false, `has no ${name} any more, was ${old}`);
  else if (old === undefined) add(true, `has ${name} ${now}, had none`);
  else add((now - old) * direction > 0, `has ${name} ${now}, was ${old}`);
}

function acceptedChange(before: readonly string[] | undefined, after: readonly string[] | undefined, add: Add): void {
  if (before === undefined || after === undefined) {
    if (after !== undefined) add(true, `takes only ${after.join(", ")}, was any value`);
    else if (before !== undefined) add(false, "takes any value, was a list of accepted ones");
    return;
  }
  const gone = before.filter((value) => !after.includes(value));
  const fresh = after.filter((value) => !before.includes(value));
  if (gone.length > 0) add(true, `does not take ${gone.join(", ")} any more`);
  if (fresh.length > 0) add(false, `takes ${fresh.join(", ")} too`);
}
