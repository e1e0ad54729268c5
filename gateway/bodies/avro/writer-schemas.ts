/** The released schemas of a topic as the decoders of what is written with them. Made at first use: most requests are JSON. */
import type { Contract } from "../../../contracts/contract.ts";
import { parsingCanonicalForm } from "../../../schemas/canonical/form.ts";
import { parseSchema, type SchemaNode } from "../../../schemas/canonical/parse.ts";
import { codecById } from "../../../schemas/codecs.ts";
import { createDatumDecoder, type DatumDecoder } from "./datum.ts";
import { agreesInLogicalTypes } from "./logical-types.ts";

export interface WriterSchema {
  readonly id: number;
  readonly version: number;
  readonly decode: DatumDecoder;
}

interface Release extends WriterSchema {
  readonly schema: SchemaNode;
  readonly canonical: string;
}

const byId = new Map<number, Release>();

function releaseOf(id: number): Release | undefined {
  const known = byId.get(id);
  const codec = codecById(id);
  if (known !== undefined || codec === undefined) return known;
  const schema = parseSchema(codec.schema);
  const { version } = codec;
  const release = {
    id,
    version,
    schema,
    canonical: parsingCanonicalForm(schema),
    decode: createDatumDecoder(codec.schema),
  };
  byId.set(id, release);
  return release;
}

/** The topic's schema of this id; undefined if the id is not released, or is another topic's. */
export function writerSchemaById(contract: Contract, id: number): WriterSchema | undefined {
  return contract.schemas.some((schema) => schema.id === id) ? releaseOf(id) : undefined;
}

/** The topic's released schema that a foreign one is equal to, by canonical form and logical types; undefined if it is none. */
export function writerSchemaOf(contract: Contract, foreign: SchemaNode): WriterSchema | undefined {
  const canonical = parsingCanonicalForm(foreign);
  return contract.schemas
    .map(({ id }) => releaseOf(id))
    .find((release) => release?.canonical === canonical && agreesInLogicalTypes(foreign, release.schema));
}

/** The versions there are, for error texts: `1 (id 100001)`. */
export function releasedVersions(contract: Contract): string {
  return contract.schemas.map(({ id, version }) => `${version} (id ${id})`).join(", ");
}
