/**
 * A schema's text as one that can be released: by `sluice schemas release` and the build, and as the registry says before
 * anybody tries. All of them ask here, so that they say the same.
 */
import type { AvroRecord } from "../avro-schema.ts";
import { InvalidSchema, parseSchema } from "../canonical/parse.ts";
import { defaultProblems } from "../compatibility/default-value.ts";
import { placeOf, type SchemaFault } from "./describe-issue.ts";
import { duplicateKey } from "./duplicate-key.ts";
import { inSubset } from "./subset.ts";

export interface ReadSchema {
  /** Absent if the text is no record of the subset of Avro that Sluice uses. */
  readonly record?: AvroRecord;
  /** Why it cannot be released; none: it can, if it is compatible. */
  readonly faults: readonly SchemaFault[];
}

export function readSchemaText(text: string): ReadSchema {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return refused([], `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) return refused([], `an object has the key ${JSON.stringify(twice)} twice: remove one`);
  const found = inSubset(json);
  if (!found.ok) return { faults: found.faults };
  try {
    parseSchema(json);
  } catch (error) {
    if (!(error instanceof InvalidSchema)) throw error;
    return refused(error.path, `${placeOf(json, error.path)}: ${error.reason}`);
  }
  return { record: found.record, faults: defaultProblems(found.record) };
}

function refused(path: SchemaFault["path"], message: string): ReadSchema {
  return { faults: [{ path, message }] };
}
