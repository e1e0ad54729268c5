/**
 * Admission of one event by one contract and schema. Made at module scope: plans, checks, rules and codecs exist before
 * the first request. A valid, canonical event allocates only its verdict.
 */
import type { Contract } from "../../contracts/contract.ts";
import type { EventError } from "../../contracts/verdict.ts";
import type { AvroOutput } from "../../schemas/avro-output.ts";
import type { SchemaRelease } from "../../schemas/avro-schema.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import type { PackedEvent } from "../../schemas/pack.ts";
import type { Masker } from "../masking/masker.ts";
import { compileEventWriter } from "./checked-writer.ts";
import { type Demands, describe, type TimeWindow } from "./describe.ts";
import { encodeResidue } from "./envelope.ts";
import { EXTREME, INVALID, LEXICAL, type Scratch, UNKNOWN_FIELDS } from "./fast-pass.ts";
import { loneSurrogates } from "./json-walk.ts";
import { compilePlan, MAX_EVENT_BYTES, type OnMasked, type RecordPlan } from "./plan.ts";
import { type CompiledRule, compileRules } from "./record-rules.ts";
import { rulesForReplay } from "./replay-rules.ts";
import { takeResidue } from "./residue.ts";
import { compileShard, withKeys } from "./shard.ts";
import { isRecord } from "./value-forms.ts";

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

/** An event written to `[start, end)` of the output, for a shard: what `schemas/pack.ts` packs. */
export interface AdmittedEvent extends PackedEvent {
  readonly accepted: true;
  readonly schemaId: number;
  /** True if admission looked at every number and none is one that `JSON.parse` may have altered; `admitFrom` looks again at other events. */
  readonly sure: boolean;
}

export type Admission = AdmittedEvent | { readonly accepted: false; readonly errors: readonly EventError[] };

export interface Admitter {
  /** What each field must be, and how it is masked. */
  readonly plan: RecordPlan;
  readonly rules: readonly CompiledRule[];
  admit(event: unknown, index: number, context: AdmissionContext): Admission;
}

export function createAdmitter(contract: Contract, release: SchemaRelease, onMasked: OnMasked = "judge"): Admitter {
  const plan = compilePlan(contract, release.schema, onMasked);
  const compiled = compileRules(contract, plan);
  const rules = onMasked === "keep" ? rulesForReplay(compiled, plan) : compiled;
  const scratch: Scratch = { eventMicros: 0, eventStart: 0, keyStart: -1, masker: null };
  const { keyField, shardFor } = compileShard(contract, plan);
  const write = compileEventWriter(plan, scratch, keyField);
  const refusesUnknown = contract.unknownFields === "reject";
  const pastMicros = (contract.eventTimeWindow?.pastMs ?? Number.POSITIVE_INFINITY) * 1_000;
  const futureMicros = (contract.eventTimeWindow?.futureMs ?? Number.POSITIVE_INFINITY) * 1_000;

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
    plan,
    rules,
    admit(event, index, context) {
      const { output, masker } = context;
      const start = output.at;
      output.writeLong(index);
      const residueStart = output.at;
      scratch.masker = masker;
      const flags = write(event, output);
      const valid = isRecord(event) && isValid(event, flags, context);
      const isResidual = (flags & (LEXICAL | UNKNOWN_FIELDS)) !== 0;
      const residue = valid && isResidual ? residueOf(event, masker) : null;
      if (!valid || (isResidual && residue === null)) {
        output.at = start;
        return refuse(event, context);
      }
      const shard = shardFor(event, masker, output.bytes, scratch.keyStart);
      if (residue !== null) output.replace(residueStart, scratch.eventStart, residue);
      const end = output.at;
      if (end - start > MAX_EVENT_BYTES) {
        output.at = start;
        return { accepted: false, errors: [tooLarge(end - start)] };
      }
      const sure = (flags & (EXTREME | UNKNOWN_FIELDS)) === 0;
      return { accepted: true, schemaId: release.id, sure, index, shard, start, end, label: null };
    },
  };
}

function tooLarge(bytes: number): EventError {
  const detail = `expected at most ${MAX_EVENT_BYTES} bytes encoded, got ${bytes}: send large parts by reference`;
  return { error_type: "EVENT_TOO_LARGE", pointer: "", rule: null, detail };
}
