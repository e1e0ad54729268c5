import type { CompatibilityMode } from "../schemas/compatibility/modes.ts";
import type { RuleProgram } from "./rules/program.ts";

/**
 * A contract as the Worker knows it: the compiled form of `contracts/<topic>.yaml`. Plain data, made when the project is
 * built (`tools/build/contracts`); closures over it are made at module scope by whoever needs them.
 */

export type FieldKind = "string" | "integer" | "number" | "boolean" | "timestamp" | "date" | "array" | "object";

/**
 * How a field with personal data is stored: a keyed hash (equal values stay equal, so joins work), a constant, or the keyed
 * hash of an e-mail address' local part with its domain. `gateway/masking/tags.ts` has the formats.
 */
export type Masking = "hmac" | "redact" | "email";

/** What the contract demands of one field. Bounds are inclusive; `pattern` is a regular expression that must match somewhere in the text. */
export interface FieldRule {
  readonly name: string;
  readonly kind: FieldKind;
  readonly required: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** The values that are taken, as texts; `value-text.ts` says when one is a field's value. */
  readonly accepted?: readonly string[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly item?: FieldRule;
  readonly fields?: readonly FieldRule[];
  /** Present exactly on text fields with a personal classification (`pii`, `personal`); the rules above hold for the clear value. */
  readonly masking?: Masking;
  /** Values that stand for this field in example events. */
  readonly examples?: readonly unknown[];
}

/** A CEL expression over `event` that must be true (docs/rules.md). `pointer` is where its violation is reported. */
export interface RecordRule {
  readonly id: string;
  readonly pointer: string;
  readonly description: string;
  readonly expression: string;
  /** The expression as the build checked it: what runs. */
  readonly program: RuleProgram;
}

export type Layer = "bronze" | "silver" | "gold";
export type OnFail = "block" | "quarantine" | "warn";
/** At each build of a partition, or once it has closed (`check-time.ts`). */
export type CheckTime = "increment" | "closing";

/** The bound a measured number is held against (ODCS 3.1, data quality operators). */
export type Bound =
  | { readonly op: "mustBe" | "mustNotBe"; readonly value: number }
  | {
      readonly op: "mustBeGreaterThan" | "mustBeGreaterOrEqualTo" | "mustBeLessThan" | "mustBeLessOrEqualTo";
      readonly value: number;
    }
  | { readonly op: "mustBeBetween" | "mustNotBeBetween"; readonly value: readonly [number, number] };

interface CheckBase {
  /** Unique among the checks of its table and layer. */
  readonly name: string;
  readonly layer: Layer;
  /** The gold table that a gold check measures; absent at the other layers, which a topic has one table of. */
  readonly table?: string;
  readonly bound: Bound;
  readonly onFail: OnFail;
  /** Absent: at each build. */
  readonly when?: "closing";
}

/** One library check of ODCS on a table's candidate rows. */
export interface LibraryCheck extends CheckBase {
  readonly metric: "rowCount" | "nullValues" | "missingValues" | "invalidValues" | "duplicateValues";
  /** The columns measured; empty for rowCount. */
  readonly columns: readonly string[];
  /** For invalidValues: what is valid. For missingValues: what counts as missing. */
  readonly values: readonly string[];
  /** For invalidValues: what a valid text matches, as a field's pattern. */
  readonly pattern?: string;
  readonly unit: "rows" | "percent";
  /** For duplicateValues: a NULL equals another, as in GROUP BY. Else, as in SQL's `=`, it equals nothing. */
  readonly nullsEqual?: true;
}

/** A check that measures what its query gives over a table's candidate rows: one number. */
export interface SqlCheck extends CheckBase {
  readonly metric: "sql";
  /** DuckDB's SQL, its placeholders filled in. Its plan is compiled with the models (`lakehouse/tables/compiled/compiled-check.ts`). */
  readonly query: string;
}

export type Check = LibraryCheck | SqlCheck;

/** What the contract promises its readers (ODCS `slaProperties`); durations in milliseconds. What is not promised is absent. */
export interface ServiceLevels {
  /** From the acceptance of an event to bronze: longer than the flush's age. */
  readonly latencyMs?: number;
  /** How old the newest event time in the published table may be: longer than the flush's age and `buildAfterMs`. */
  readonly freshnessMs?: number;
  /** Of the events received in a day, the share that reaches the published table, copies included: percent, above 0, at most 100. */
  readonly completenessPercent?: number;
  /** How long bronze is kept after the end of its date; absent: for good. */
  readonly retentionMs?: number;
}

export interface Contract {
  readonly topic: string;
  readonly version: string;
  readonly description: string;
  readonly domain: string;
  /** Written by the platform only: producers cannot post to it. */
  readonly platformOnly: boolean;
  readonly mode: "append";
  /** Top-level fields whose values together identify an event. The first is the id that verdicts and dead letters name. */
  readonly dedupeKey: readonly string[];
  readonly shardKey: readonly string[];
  /** A power of two. */
  readonly shards: number;
  readonly eventTime: string;
  /** How far an event's time may lie before and after its reception; null: anywhere. */
  readonly eventTimeWindow: { readonly pastMs: number; readonly futureMs: number } | null;
  readonly latenessMs: number;
  /** The date column that bronze and silver are partitioned by, and the time it is taken from. */
  readonly partition: { readonly column: string; readonly source: "event" | "received" };
  readonly unknownFields: "keep" | "reject";
  readonly flush: { readonly bytes: number; readonly rows: number; readonly ageMs: number };
  /** How long new rows of an open date wait for more before silver is built; 100,000 of them do not. */
  readonly buildAfterMs: number;
  /** How far back the topic is read as a stream, that is, peeked at, replayed and subscribed to; what is older is read as a table. */
  readonly replayWindowMs: number;
  readonly sla: ServiceLevels;
  readonly fields: readonly FieldRule[];
  readonly rules: readonly RecordRule[];
  readonly checks: readonly Check[];
  /** What a new schema version must keep to. */
  readonly compatibility: CompatibilityMode;
  /** Released versions of the schema, oldest first; the last is current. A retired one is no longer taken from producers. */
  readonly schemas: readonly { readonly id: number; readonly version: number; readonly retired?: boolean }[];
}
