/**
 * What a proposed contract says of an event that the platform has stored: admission itself, with two differences. The event
 * time is judged by the original reception, and a masked value is not held against rules that were made for the clear one.
 */
import type { Contract, FieldRule, Masking } from "../../contracts/contract.ts";
import type { EventError } from "../../contracts/verdict.ts";
import { describe } from "../../gateway/admit/describe.ts";
import { compilePlan } from "../../gateway/admit/plan.ts";
import { compileRules } from "../../gateway/admit/record-rules.ts";
import { isMaskedValue, sealedParts } from "../../gateway/masking/tags.ts";
import type { SchemaRelease } from "../../schemas/avro-schema.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";

export interface Proposal {
  readonly contract: Contract;
  /** The topic's schemas that `contract.schemas` names, oldest first. */
  readonly releases: readonly SchemaRelease[];
  /** Judges every event, whichever version it came in; null: each by its own. */
  readonly version: number | null;
}

export interface StoredEvent {
  readonly event: unknown;
  /** When the gateway read it, microseconds since the epoch. */
  readonly received: number;
  /** The schema version that it was judged by; null where none was looked for. */
  readonly version: number | null;
  /** Whether it has unknown fields that are sealed, so that nobody can tell what they are. */
  readonly sealed: boolean;
}

export interface Judge {
  /** Every reason to refuse it now; none: it would pass. */
  errorsOf(stored: StoredEvent): readonly EventError[];
  /** Whether an error is of a value that is stored masked: then nobody can tell whether it would be made again. */
  isUnjudgeable(error: Pick<EventError, "pointer" | "rule">): boolean;
  /** Rules that read a masked field. */
  readonly unjudgeableRules: readonly string[];
}

/** `stored` is the contract under which the events were stored: it says which values are masked. */
export function createJudge({ contract, releases, version: forced }: Proposal, stored: Contract): Judge {
  const versions = new Map(
    releases.map((release) => {
      const plan = compilePlan(contract, release.schema);
      return [release.version, { plan, rules: compileRules(contract, plan) }];
    }),
  );
  const retired = new Set(contract.schemas.filter((schema) => schema.retired === true).map(({ version }) => version));
  const current = releases.at(-1)?.version ?? 0;
  const masked = maskedNames(stored.fields);
  const unjudgeableRules = [...contract.rules, ...stored.rules]
    .filter(({ expression }) => masked.some((name) => new RegExp(`\\b${name}\\b`).test(expression)))
    .map(({ id }) => id);

  const isStoredMasked = (event: unknown, pointer: string): boolean => {
    const masking = maskingAt(stored.fields, pointer);
    const value = valueAt(event, pointer);
    return masking !== undefined && typeof value === "string" && isMaskedValue(value, masking);
  };

  return {
    unjudgeableRules,
    isUnjudgeable: ({ pointer, rule }) =>
      maskingAt(stored.fields, pointer) !== undefined || (rule !== null && unjudgeableRules.includes(rule)),
    errorsOf({ event: sent, received, version, sealed }) {
      const event = withoutSealed(sent);
      const own = version ?? current;
      const demands = versions.has(own) ? versions.get(forced ?? own) : undefined;
      // Producers that move to a proposed schema leave a retired one; a version that never was stays unknown.
      if (demands === undefined || (forced === null && retired.has(own))) {
        const detail = `schema version ${own} is ${demands === undefined ? "not released" : "retired"}`;
        return [{ error_type: "UNKNOWN_SCHEMA", pointer: "/schema_version", rule: null, detail }];
      }
      const { eventTimeWindow: window, eventTime: field, topic, unknownFields } = contract;
      const errors = describe(event, {
        ...demands,
        topic,
        unknownFields,
        window:
          window === null
            ? null
            : { field, earliest: received - window.pastMs * 1_000, latest: received + window.futureMs * 1_000 },
      }).filter(
        ({ pointer, rule }) => !isStoredMasked(event, pointer) && (rule === null || !unjudgeableRules.includes(rule)),
      );
      if (!(sealed || event !== sent) || unknownFields === "keep") return errors;
      const detail = "it has unknown fields (sealed), and the contract refuses those";
      return [...errors, { error_type: "UNKNOWN_FIELD", pointer: "", rule: null, detail }];
    },
  };
}

/** A concealed payload without its sealed unknown fields; the argument itself if it has none. */
function withoutSealed(event: unknown): unknown {
  if (!isJsonObject(event)) return event;
  const { _extra: extra, ...rest } = event;
  return typeof extra === "string" && sealedParts(extra) !== undefined ? rest : event;
}

function maskedNames(fields: readonly FieldRule[]): string[] {
  return fields.flatMap((field) => [
    ...(field.masking === undefined ? [] : [field.name]),
    ...maskedNames(field.fields ?? []),
    ...maskedNames(field.item === undefined ? [] : [field.item]),
  ]);
}

function maskingAt(fields: readonly FieldRule[], pointer: string): Masking | undefined {
  let level = fields;
  let field: FieldRule | undefined;
  for (const part of pointer.split("/").slice(1)) {
    field = field?.item ?? level.find(({ name }) => name === part);
    if (field === undefined) return undefined;
    level = field.fields ?? [];
  }
  return field?.masking;
}

function valueAt(event: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .reduce<unknown>((value, part) => {
      if (Array.isArray(value)) return value[Number(part)];
      return isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
    }, event);
}
