/**
 * Admission of one event by one contract and schema. Made at module scope: plans, checks, rules and codecs exist before
 * the first request. A valid, canonical event allocates only its verdict.
 */
import type { Contract } from "../../contracts/contract.ts";
import type { EventError } from "../../contracts/verdict.ts";
import type { AvroOutput } from "../../schemas/avro-output.ts";
import type { SchemaCodec } from "../../schemas/codecs.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import type { PackedEvent } from "../../schemas/pack.ts";
import type { Masker } from "../masking/masker.ts";
import { FAIL, type JsonInput } from "./byte-pass/byte-pass.ts";
import { compileEventReader, type EventReader } from "./byte-pass/event-reader.ts";
import { compileEventWriter } from "./checked-writer.ts";
import { type Demands, describe, type TimeWindow } from "./describe.ts";
import { encodeResidue } from "./envelope.ts";
import { CLEAN, INVALID, type Scratch, UNKNOWN_FIELDS } from "./fast-pass.ts";
import { loneSurrogates } from "./json-walk.ts";
import { compilePlan, MAX_EVENT_BYTES, type OnMasked, type RecordPlan } from "./plan.ts";
import { type CompiledRule, compileRules } from "./record-rules.ts";
import { rulesForReplay } from "./replay-rules.ts";
import { takeResidue } from "./residue.ts";
import { compileShard, withKeys } from "./shard.ts";
import { isRecord } from "./value-forms.ts";

/** Where an event says which schema version it is of. */
export const VERSION_FIELD = "schema_version";

/** What a request says of all its events. */
export interface AdmissionContext {
  /** When the gateway read the request, microseconds since the epoch. */
  readonly received: number;
  /** Whether the body holds an escape that could make a lone surrogate; else strings are known to be well formed. */
  readonly suspectSurrogates: boolean;
  /** Where accepted events are written. */
  readonly output: AvroOutput;
  /** null only for topics without masked fields. */
  readonly masker: Masker | null;
}

/** Of that, what taking an event needs. */
export type TakingContext = Pick<AdmissionContext, "received" | "output">;

/** An event written to `[start, end)` of the output, for a shard: what `schemas/pack.ts` packs. */
export interface AdmittedEvent extends PackedEvent {
  readonly accepted: true;
  readonly schemaId: number;
}

export type Admission = AdmittedEvent | { readonly accepted: false; readonly errors: readonly EventError[] };

/** An event that was accepted without making an object of it. */
export interface TakenEvent {
  readonly admission: AdmittedEvent;
  /** Its members that keys, the version and rules are made of, and no others. */
  readonly event: Readonly<Record<string, unknown>>;
  /** Where it ends in its bytes. */
  readonly end: number;
}

export interface Admitter {
  readonly codec: SchemaCodec;
  /** What each field must be, and how it is masked. */
  readonly plan: RecordPlan;
  readonly rules: readonly CompiledRule[];
  admit(event: unknown, index: number, context: AdmissionContext): Admission;
  /**
   * Accepts the event whose JSON begins at `at`, as `admit` would; undefined where that is to be asked, since it is not valid,
   * not canonical, or not the object that stands there alone. Then nothing was written. The schema version is not looked at.
   */
  take(json: JsonInput, at: number, index: number, context: TakingContext): TakenEvent | undefined;
  /** Whether `take` takes any event: not with masked fields, nor where a rule is only known to CEL's library. */
  readonly isTaking: boolean;
}

export function createAdmitter(contract: Contract, codec: SchemaCodec, onMasked: OnMasked = "judge"): Admitter {
  const plan = compilePlan(contract, codec.schema, onMasked);
  const compiled = compileRules(contract.rules, plan);
  const rules = onMasked === "take" ? rulesForReplay(compiled, plan) : compiled;
  const scratch: Scratch = { eventMicros: 0, eventStart: 0, masker: null };
  const write = compileEventWriter(plan, scratch);
  const refusesUnknown = contract.unknownFields === "reject";
  const pastMicros = (contract.eventTimeWindow?.pastMs ?? Number.POSITIVE_INFINITY) * 1_000;
  const futureMicros = (contract.eventTimeWindow?.futureMs ?? Number.POSITIVE_INFINITY) * 1_000;
  const shardFor = compileShard(contract, plan);

  function windowAt(received: number): TimeWindow | null {
    if (contract.eventTimeWindow === null) return null;
    return { field: contract.eventTime, earliest: received - pastMicros, latest: received + futureMicros };
  }

  /** Whether an event of these flags is valid: what the pass over its fields cannot say. */
  function isValid(event: unknown, flags: number, context: AdmissionContext): boolean {
    if (flags & INVALID || (flags & UNKNOWN_FIELDS && refusesUnknown)) return false;
    const { eventMicros } = scratch;
    if (eventMicros < context.received - pastMicros || eventMicros > context.received + futureMicros) return false;
    if (context.suspectSurrogates && loneSurrogates(event, 1).length > 0) return false;
    for (const rule of rules) if (rule.violation(event) !== null) return false;
    return true;
  }

  /** The whole residue of a valid event, encoded; null for one that cannot be kept whole. */
  function residueOf(event: unknown, masker: Masker | null): Uint8Array | null {
    const residue = isJsonObject(event) ? takeResidue(event, plan) : null;
    if (residue === null || residue.extra === null || !plan.pii) return residue && encodeResidue(residue);
    // A text in JSON, so that readers of the column still find JSON in it.
    return encodeResidue({
      ...residue,
      extra: JSON.stringify(withKeys(masker, contract.topic).seal(contract.topic, residue.extra)),
    });
  }

  // Made at first use: most of an isolate's topics are never posted to.
  let reader: EventReader | undefined;
  const isTaking = !plan.pii && onMasked === "judge" && rules.every(({ fast }) => fast !== undefined);

  function compileReader(): EventReader {
    const keys = contract.shards === 1 ? contract.dedupeKey : [...contract.dedupeKey, ...contract.shardKey];
    const members = new Set([...keys, VERSION_FIELD]);
    for (const rule of rules) for (const name of rule.members) members.add(name);
    return compileEventReader(plan, members);
  }

  function refuse(event: unknown, context: AdmissionContext): Admission {
    const demands: Demands = {
      topic: contract.topic,
      plan,
      unknownFields: contract.unknownFields,
      rules,
      window: windowAt(context.received),
    };
    const errors = describe(event, demands);
    // A refusal without a reason would be a defect of ours: it must not cost the producer an event.
    if (errors.length === 0) throw new Error(`${contract.topic}: the check refused an event that has no error`);
    return { accepted: false, errors };
  }

  return {
    codec,
    plan,
    rules,
    isTaking,
    admit(event, index, context) {
      const { output, masker } = context;
      const start = output.at;
      output.writeLong(index);
      const residueStart = output.at;
      scratch.masker = masker;
      const flags = write(event, output);
      const valid = isRecord(event) && isValid(event, flags, context);
      const residue = valid && flags !== CLEAN ? residueOf(event, masker) : null;
      if (!valid || (flags !== CLEAN && residue === null)) {
        output.at = start;
        return refuse(event, context);
      }
      if (residue !== null) output.replace(residueStart, scratch.eventStart, residue);
      const end = output.at;
      if (end - start > MAX_EVENT_BYTES) {
        output.at = start;
        return { accepted: false, errors: [tooLarge(end - start)] };
      }
      return { accepted: true, schemaId: codec.id, index, shard: shardFor(event, masker), start, end, label: null };
    },
    take(json, at, index, { output, received }) {
      if (!isTaking) return undefined;
      reader ??= compileReader();
      const start = output.at;
      output.writeLong(index);
      const behind = reader.read(json, at, output);
      const end = output.at;
      const { kept: event, eventMicros } = reader.leavings;
      if (
        behind === FAIL ||
        end - start > MAX_EVENT_BYTES ||
        !isRecord(event) ||
        eventMicros < received - pastMicros ||
        eventMicros > received + futureMicros ||
        rules.some(({ fast }) => fast?.(event) !== true)
      ) {
        output.at = start;
        return undefined;
      }
      const shard = shardFor(event, null);
      return {
        admission: { accepted: true, schemaId: codec.id, index, shard, start, end, label: null },
        event,
        end: behind,
      };
    },
  };
}

function tooLarge(bytes: number): EventError {
  const detail = `expected at most ${MAX_EVENT_BYTES} bytes encoded, got ${bytes}: send large parts by reference`;
  return { error_type: "EVENT_TOO_LARGE", pointer: "", rule: null, detail };
}
