/** Reads small JSON bodies by their zod schemas. */
import type * as z from "zod";
import type { GatewayContext } from "../context.ts";
import { ProblemError } from "../problem.ts";

/** The JSON body by its schema; an empty body is `{}`. Throws the problem INVALID_PARAMETER, which never quotes the body. */
export async function bodyOf<Schema extends z.ZodType>(c: GatewayContext, schema: Schema): Promise<z.infer<Schema>> {
  const parsed = schema.safeParse(jsonOf((await smallBodyOf(c)).toString("utf8")));
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new ProblemError("INVALID_PARAMETER", details.join("; "));
}

/** The bytes of a body, and what a parser makes of them at worst, some ten times as much, are claimed as they arrive. */
export async function smallBodyOf(c: GatewayContext): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of c.get("bodyChunks")().chunks) {
    chunks.push(chunk);
    length += chunk.byteLength;
    c.get("claimMemory")("body", length * PARSED_COPIES);
  }
  return Buffer.concat(chunks);
}

const PARSED_COPIES = 10;

function jsonOf(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new ProblemError("INVALID_PARAMETER", "the body is not JSON");
  }
}
