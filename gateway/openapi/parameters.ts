/** Reads query parameters and headers by their zod schemas. */
import type * as z from "zod";
import type { GatewayContext } from "../context.ts";
import { ProblemError } from "../problem.ts";

/** The query by its schema; parameters that the schema does not name are ignored. Throws the problem INVALID_PARAMETER. */
export function queryOf<Schema extends z.ZodObject>(c: GatewayContext, schema: Schema): z.infer<Schema> {
  return parse(schema, c.req.query(), "");
}

/** The headers that the schema names, in its letter case. Throws the problem INVALID_PARAMETER. */
export function headersOf<Schema extends z.ZodObject>(c: GatewayContext, schema: Schema): z.infer<Schema> {
  const values = Object.keys(schema.shape).flatMap((name) => {
    const value = c.req.header(name);
    return value === undefined ? [] : [[name, value]];
  });
  return parse(schema, Object.fromEntries(values), "the header ");
}

function parse<Schema extends z.ZodObject>(schema: Schema, values: unknown, prefix: string): z.infer<Schema> {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => `${prefix}${path.join(".")}: ${message}`);
  throw new ProblemError("INVALID_PARAMETER", details.join("; "));
}
