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

/** As `queryOf`, for a route whose requests mostly have no query: what the schema makes of none is made once. */
export function queryReader<Schema extends z.ZodObject>(schema: Schema): (c: GatewayContext) => z.infer<Schema> {
  let ofNone: z.infer<Schema> | undefined;
  return (c) => {
    const values = c.req.query();
    if (Object.keys(values).length > 0) return parse(schema, values, "");
    ofNone ??= parse(schema, values, "");
    return ofNone;
  };
}

/** As `headersOf`, for a route whose requests mostly have none of these headers. */
export function headersReader<Schema extends z.ZodObject>(schema: Schema): (c: GatewayContext) => z.infer<Schema> {
  const names = Object.keys(schema.shape);
  let ofNone: z.infer<Schema> | undefined;
  return (c) => {
    for (const name of names) if (c.req.header(name) !== undefined) return headersOf(c, schema);
    ofNone ??= headersOf(c, schema);
    return ofNone;
  };
}

function parse<Schema extends z.ZodObject>(schema: Schema, values: unknown, prefix: string): z.infer<Schema> {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => `${prefix}${path.join(".")}: ${message}`);
  throw new ProblemError("INVALID_PARAMETER", details.join("; "));
}
