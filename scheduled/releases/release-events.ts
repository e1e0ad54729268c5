/** What is said of a topic when a deploy has released its contract: pure, from what is now and what was announced. */
import { createHash } from "node:crypto";
import type { Contract, FieldRule } from "../../contracts/contract.ts";
import { fieldChanges } from "../../contracts/field-changes.ts";
import type { SchemaCodec } from "../../schemas/codecs.ts";
import { fieldDifferences } from "../../schemas/compatibility/field-differences.ts";
import { platformEventId } from "../platform-events/event-id.ts";
import type { ChangedField, SchemaChange } from "../platform-events/schema-change.ts";

/** What this bundle holds of a topic. */
export interface Release {
  readonly contract: Pick<Contract, "topic" | "version" | "fields" | "unknownFields">;
  /** Oldest version first. */
  readonly schemas: readonly Pick<SchemaCodec, "id" | "version" | "schema">[];
}

/** What was announced of it last. */
export interface AnnouncedRelease {
  readonly revision: number;
  readonly contractVersion: string;
  readonly fields: readonly FieldRule[];
  /** Every schema id that was ever announced: a rollback and the deploy after it announce none again. */
  readonly schemaIds: readonly number[];
}

/** An event must fit a message of the queue, whatever a contract says. */
const MAX_FIELDS = 200;
const MAX_DETAIL = 200;

/** Equal for releases that need no announcement after each other. */
export function digestOf({ contract, schemas }: Release): string {
  const announced = [contract.version, contract.fields, schemas.map(({ id }) => id)];
  return createHash("sha256").update(JSON.stringify(announced)).digest("hex");
}

/**
 * One event per schema version that was never announced, oldest first, then one of the contract if its version or its fields
 * are others. A topic without an announcement has all of them, with every field added. `at` is ISO 8601 UTC.
 */
export function releaseEvents(release: Release, before: AnnouncedRelease | null, at: string): SchemaChange[] {
  const { contract } = release;
  const base = { event_timestamp: at, topic: contract.topic, contract_version: contract.version };
  const events = schemaEvents(release, before, base);
  const changes = fieldChanges({ fields: before?.fields ?? [] }, contract);
  if (before?.contractVersion === contract.version && changes.length === 0) return events;
  const fields = changes.map(({ path, kind, message }) => changedField(path, kind, message));
  const id = platformEventId("contract_released", contract.topic, (before?.revision ?? 0) + 1, digestOf(release));
  return [...events, { event_id: id, ...base, change: "contract_released", fields: bounded(fields) }];
}

type Base = Pick<SchemaChange, "event_timestamp" | "topic" | "contract_version">;

function schemaEvents({ schemas }: Release, before: AnnouncedRelease | null, base: Base): SchemaChange[] {
  return schemas.flatMap(({ id, version, schema }, position): SchemaChange[] => {
    if (before?.schemaIds.includes(id) === true) return [];
    const previous = schemas[position - 1];
    const fields = fieldDifferences(previous?.schema ?? null, schema).map(({ path, change, detail }) =>
      changedField(path, change, detail),
    );
    return [
      {
        event_id: platformEventId("schema_released", base.topic, id),
        ...base,
        change: "schema_released",
        schema_id: id,
        schema_version: version,
        ...(previous === undefined ? {} : { previous_schema_version: previous.version }),
        fields: bounded(fields),
      },
    ];
  });
}

/** A JSON pointer (RFC 6901) with `*` for every item of an array. */
function changedField(path: readonly string[], change: ChangedField["change"], detail: string): ChangedField {
  const pointer = path.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return { pointer, change, detail: detail.slice(0, MAX_DETAIL).toWellFormed() };
}

function bounded(fields: readonly ChangedField[]): readonly ChangedField[] {
  if (fields.length <= MAX_FIELDS) return fields;
  const left = fields.length - MAX_FIELDS;
  return [...fields.slice(0, MAX_FIELDS), { pointer: "/", change: "changed", detail: `and ${left} more` }];
}
