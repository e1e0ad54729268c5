/** What changes for the producers of a topic between two descriptions of its fields. Pure. */
import type { FieldRule } from "./contract.ts";

/** One difference. `breaking`: events that were accepted may be refused. */
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

/** `strict`: the contract refuses fields that it does not describe, so that a removed one breaks whoever sends it. */
export function fieldChanges(
  before: readonly FieldRule[],
  after: readonly FieldRule[],
  strict: boolean,
  parent: readonly string[] = [],
): FieldChange[] {
  const removed = before.filter(({ name }) => !after.some((field) => field.name === name));
  return [
    ...removed.map(
      ({ name }): FieldChange => ({
        kind: "removed",
        path: [...parent, name],
        breaking: strict,
        subject: subjectOf([...parent, name]),
        message: strict
          ? "is removed, and unknown fields are refused"
          : "is removed; who sends it has it kept in _extra",
      }),
    ),
    ...after.flatMap((field): FieldChange[] => {
      const old = before.find(({ name }) => name === field.name);
      const path = [...parent, field.name];
      if (old !== undefined) return oneField(old, field, strict, path);
      const message = field.required ? "is added and required" : "is added, optional";
      return [{ kind: "added", path, breaking: field.required, subject: subjectOf(path), message }];
    }),
  ];
}

function oneField(before: FieldRule, after: FieldRule, strict: boolean, path: readonly string[]): FieldChange[] {
  const changes: FieldChange[] = [];
  const add = (breaking: boolean, message: string): void => {
    changes.push({ kind: "changed", path, breaking, subject: subjectOf(path), message });
  };
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
  if (before.masking !== after.masking)
    add(
      false,
      `is stored ${after.masking === undefined ? "in the clear" : `masked (${after.masking})`}, was ${before.masking ?? "in the clear"}`,
    );
  if (before.item !== undefined && after.item !== undefined)
    changes.push(...oneField(before.item, after.item, strict, [...path, "*"]));
  changes.push(...fieldChanges(before.fields ?? [], after.fields ?? [], strict, path));
  return changes;
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
