/** The admitters of every topic and released schema version, built at module scope. */
import type { Contract } from "../../contracts/contract.ts";
import { contracts, currentSchema } from "../../contracts/registry.ts";
import { codecById, type SchemaCodec } from "../../schemas/codecs.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import { type Admission, type AdmissionContext, type Admitter, createAdmitter } from "./admitter.ts";
import { isRecord } from "./check.ts";

export interface TopicAdmitter {
  readonly contract: Contract;
  /** The id of an event as verdicts and dead letters name it: null if it has none that can be shown. */
  eventIdOf(event: unknown): string | null;
  /** The schema version that an event is judged by, released or not: its own, else the request's, else the current one. */
  versionOf(event: unknown, requestVersion: number | null): number;
  admit(event: unknown, index: number, requestVersion: number | null, context: AdmissionContext): Admission;
}

const MAX_EVENT_ID = 256;

export function createTopicAdmitter(contract: Contract, codecs: readonly SchemaCodec[]): TopicAdmitter {
  const byVersion = new Map<number, Admitter>(codecs.map((codec) => [codec.version, createAdmitter(contract, codec)]));
  const current = currentSchema(contract).version;
  const released = [...byVersion.keys()].join(", ");
  const idField = contract.dedupeKey[0] ?? "";

  function versionOf(event: unknown, requestVersion: number | null): number {
    if (isRecord(event)) {
      const own = event["schema_version"];
      // Any other value is for the schema to judge: it is a typed field.
      if (typeof own === "number" && Number.isInteger(own)) return own;
    }
    return requestVersion ?? current;
  }

  return {
    contract,
    versionOf,
    eventIdOf(event) {
      const id = isJsonObject(event) && Object.hasOwn(event, idField) ? event[idField] : undefined;
      return typeof id === "string" && id.length <= MAX_EVENT_ID ? id.toWellFormed() : null;
    },
    admit(event, index, requestVersion, context) {
      const version = versionOf(event, requestVersion);
      const admitter = byVersion.get(version);
      if (admitter !== undefined) return admitter.admit(event, index, context);
      const detail = `expected a released schema version of ${contract.topic} (${released}), got ${version}`;
      return {
        accepted: false,
        errors: [{ error_type: "UNKNOWN_SCHEMA", pointer: "/schema_version", rule: null, detail }],
      };
    },
  };
}

const admitters = new Map(
  contracts.map((contract) => {
    const codecs = contract.schemas.map(({ id }) => codecById(id)).filter((codec) => codec !== undefined);
    return [contract.topic, createTopicAdmitter(contract, codecs)];
  }),
);

export function admitterOf(topic: string): TopicAdmitter | undefined {
  return admitters.get(topic);
}
