/**
 * The Avro codecs of every released schema. Built at module scope because avsc generates code, which workerd allows only
 * while the main module's global scope runs (PLATFORM: code generation).
 */
import avro from "avsc";
import type { AvroRecord, SchemaRelease } from "./avro-schema.ts";
import { compileWriter, type WriteValue } from "./event-writer.ts";
import { avroOptions } from "./logical-types.ts";
import { releases } from "./releases.generated.ts";

/**
 * One event as it travels in a block: `index` is its position in the request, `extra` the JSON of fields its schema does
 * not know, `lexical` the JSON of {pointer: original} for values whose text the typed column would not give back.
 */
export interface Envelope {
  readonly index: number;
  readonly extra: string | null;
  readonly lexical: string | null;
  readonly event: unknown;
}

export interface SchemaCodec extends SchemaRelease {
  /** JSON-shaped event <-> Avro. `isValid` takes an errorHook that names the path. */
  readonly type: avro.Type;
  /** The same inside an `Envelope`: what a block is a sequence of. */
  readonly envelope: avro.Type;
  /** Writes a checked event as `type` would encode it, several times faster. */
  readonly write: WriteValue;
}

/** The Avro schema of `Envelope` around an event's schema; the column decoder of bronze walks the same one. */
export function envelopeSchema(event: AvroRecord): AvroRecord {
  return {
    type: "record",
    name: "Envelope",
    namespace: `sluice.${event.name}`,
    fields: [
      { name: "index", type: "int" },
      { name: "extra", type: ["null", "string"], default: null },
      { name: "lexical", type: ["null", "string"], default: null },
      { name: "event", type: event },
    ],
  };
}

/** Builds the codecs of a release. Throws avsc's error if the schema is not valid Avro. */
export function buildCodec(release: SchemaRelease): SchemaCodec {
  return {
    ...release,
    type: avro.Type.forSchema(toAvsc(release.schema), avroOptions()),
    envelope: avro.Type.forSchema(toAvsc(envelopeSchema(release.schema)), avroOptions()),
    write: compileWriter(release.schema),
  };
}

// avsc keeps the schema object it is given and its types want mutable arrays: a copy satisfies both.
function toAvsc(schema: AvroRecord): avro.Schema {
  return JSON.parse(JSON.stringify(schema));
}

const codecs: readonly SchemaCodec[] = releases.map(buildCodec);
const byId = new Map(codecs.map((codec) => [codec.id, codec]));
const byVersion = new Map(codecs.map((codec) => [`${codec.topic}/${codec.version}`, codec]));

export function codecById(id: number): SchemaCodec | undefined {
  return byId.get(id);
}

export function codecOf(topic: string, version: number): SchemaCodec | undefined {
  return byVersion.get(`${topic}/${version}`);
}

/** The codecs of a topic, oldest version first. */
export function codecsOf(topic: string): readonly SchemaCodec[] {
  return codecs.filter((codec) => codec.topic === topic).sort((a, b) => a.version - b.version);
}
