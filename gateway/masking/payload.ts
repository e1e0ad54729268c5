/**
 * What a dead letter keeps of a refused event that may hold personal data. Where the bytes are a JSON object, each known field
 * stands in its place, masked where the contract masks it. Everything that the contract does not describe is sealed: unknown fields, names
 * included, in one text under `_extra` (a name that no contract can use) in the format of `schemas/event-residue.ts`; a value
 * of the wrong shape in its place. Anything else is sealed whole.
 *
 * Every text in the result that begins with `sluice:` was written here: a producer's own is sealed too.
 */
import { createResidueWriter, isJsonObject, type Path, type ResidueWriter } from "../../schemas/event-residue.ts";
import { isRawNumber, parseExactJson } from "../../schemas/exact-json.ts";
import { overBound } from "../../schemas/json-bounds.ts";
import type { RecordPlan, ValuePlan } from "../admit/plan.ts";
import type { Masker } from "./masker.ts";
import { TAG_PREFIX } from "./tags.ts";

export interface ConcealedPayload {
  readonly text: string;
  /** `utf-8`: JSON with masked and sealed values in it. `aes-gcm`: the bytes as received, sealed whole. */
  readonly encoding: "utf-8" | "aes-gcm";
}

/** Never throws for what the bytes hold. `plan` is the tree of the schema version that the event was judged by. */
export function concealPayload(bytes: Uint8Array, topic: string, plan: RecordPlan, masker: Masker): ConcealedPayload {
  const event = jsonObjectOf(bytes);
  if (event !== undefined) {
    try {
      return { text: concealEvent(event, topic, plan, masker), encoding: "utf-8" };
    } catch (error) {
      // A value nested deeper than the stack cannot be written as JSON.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return { text: masker.seal(topic, bytes), encoding: "aes-gcm" };
}

function jsonObjectOf(bytes: Uint8Array): Record<string, unknown> | undefined {
  // Refused because of its size or nesting, it is sealed as a whole.
  if (overBound(bytes) !== undefined) return undefined;
  try {
    const value = parseExactJson(decoder.decode(bytes));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function concealEvent(event: Record<string, unknown>, topic: string, plan: RecordPlan, masker: Masker): string {
  const unknown = createResidueWriter();
  const seal = (value: unknown): string => masker.seal(topic, JSON.stringify(value));
  const known = concealRecord(event, plan, [], { unknown, seal, masker });
  const { extra } = unknown.finish();
  return JSON.stringify(extra === null ? known : { ...known, _extra: masker.seal(topic, extra) });
}

interface Concealing {
  /** Takes the fields that the schema does not know. */
  readonly unknown: ResidueWriter;
  readonly seal: (value: unknown) => string;
  readonly masker: Masker;
}

function concealRecord(
  record: Readonly<Record<string, unknown>>,
  plan: RecordPlan,
  path: Path,
  to: Concealing,
): Record<string, unknown> {
  const known: Record<string, unknown> = {};
  for (const key of Object.keys(record)) {
    const field = plan.byName.get(key);
    if (field === undefined) to.unknown.addExtra(path, key, record[key]);
    else known[key] = concealValue(record[key], field.value, [...path, key], to);
  }
  return known;
}

function concealValue(value: unknown, plan: ValuePlan, path: Path, to: Concealing): unknown {
  if (value === null) return null;
  switch (plan.kind) {
    case "record":
      return isJsonObject(value) ? concealRecord(value, plan, path, to) : to.seal(value);
    case "array":
      if (!Array.isArray(value)) return to.seal(value);
      return value.map((item: unknown, index) => concealValue(item, plan.item, [...path, index], to));
    case "string":
      if (plan.masking !== null)
        return typeof value === "string" ? to.masker.mask(plan.masking, value) : to.seal(value);
      break;
  }
  const isScalar = typeof value !== "object" || isRawNumber(value);
  return isScalar && !(typeof value === "string" && value.startsWith(TAG_PREFIX)) ? value : to.seal(value);
}
