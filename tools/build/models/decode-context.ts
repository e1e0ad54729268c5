import type { IrType } from "../../../lakehouse/engine/ir/ir.ts";
import { decodeType, typeLabel } from "./decode-type.ts";
import { type JsonObject, objectAt } from "./json.ts";
import { offsetOfByte, type Problems } from "./model-error.ts";
import type { SourceMap } from "./source-map.ts";

/** What decoding the plan of one statement needs beside the plan. */
export interface DecodeContext {
  /** The statement, as DuckDB got it, and where it begins in the file. */
  readonly sql: string;
  readonly sqlOffset: number;
  readonly source: SourceMap;
  readonly problems: Problems;
  isVolatile(functionName: string): boolean;
}

/** Reports at a byte of the statement; without one, at its first word. */
export function reportAt(context: DecodeContext, byte: number | undefined, problem: string, fix: string): undefined {
  const offset = byte === undefined ? context.sql.search(/\S/) : offsetOfByte(context.sql, byte);
  context.problems.report(context.sqlOffset + Math.max(0, offset), problem, fix);
  return undefined;
}

/** The byte of an expression of the plan; `undefined` when it has none (DuckDB then writes 2^64 - 1, a bigint here). */
export function byteOf(json: JsonObject): number | undefined {
  const location = json["query_location"];
  return typeof location === "number" ? location : undefined;
}

/** The type of an expression; one that the IR lacks is reported. */
export function typeOf(json: JsonObject, context: DecodeContext): IrType | undefined {
  const type = objectAt(json, "return_type");
  return (
    decodeType(type) ??
    reportAt(
      context,
      byteOf(json),
      `values of type ${typeLabel(type)} are not supported`,
      "cast to one of BOOLEAN, INTEGER, BIGINT, DOUBLE, DECIMAL, DATE, TIMESTAMPTZ, VARCHAR",
    )
  );
}
