import type { IrType } from "../../../lakehouse/engine/ir/ir.ts";
import { decodeType, typeLabel } from "./decode-type.ts";
import { type JsonObject, objectAt } from "./json.ts";
import type { KeyOf } from "./lineage.ts";
import { offsetOfByte, type Problems } from "./model-error.ts";
import type { SourceMap } from "./source-map.ts";

/** What decoding the plan of one statement needs beside the plan. */
export interface DecodeContext {
  /** The statement, as DuckDB got it, and where it begins in the file. */
  readonly sql: string;
  readonly sqlOffset: number;
  readonly source: SourceMap;
  readonly problems: Problems;
  /** Why the edge cannot run the statement, as it is found; empty where it can. */
  readonly natives: NativeReason[];
  isVolatile(functionName: string): boolean;
  readonly keyOf: KeyOf;
}

/** What the edge has not and DuckDB has, and where the statement asks for it. */
export interface NativeReason {
  readonly byte: number | undefined;
  readonly reason: string;
}

/** Notes that only DuckDB can run the statement. */
export function nativeAt(context: DecodeContext, byte: number | undefined, reason: string): undefined {
  context.natives.push({ byte, reason });
  return undefined;
}

/** Reports at a byte of the statement; without one, at its first word. */
export function reportAt(context: DecodeContext, byte: number | undefined, problem: string, fix: string): undefined {
  context.problems.report(context.sqlOffset + offsetAt(context, byte), problem, fix);
  return undefined;
}

/** The place of a byte of the statement as `file:line:column`; without one, of its first word. */
export function placeAt(context: DecodeContext, byte: number | undefined): string {
  return context.problems.placeOf(context.sqlOffset + offsetAt(context, byte));
}

function offsetAt({ sql }: DecodeContext, byte: number | undefined): number {
  return byte === undefined ? Math.max(0, sql.search(/\S/)) : offsetOfByte(sql, byte);
}

/** The byte of an expression of the plan; `undefined` when it has none (DuckDB then writes 2^64 - 1, a bigint here). */
export function byteOf(json: JsonObject): number | undefined {
  const location = json["query_location"];
  return typeof location === "number" ? location : undefined;
}

/** The type of an expression; with one that the IR lacks the statement is native. */
export function typeOf(json: JsonObject, context: DecodeContext): IrType | undefined {
  const type = objectAt(json, "return_type");
  return decodeType(type) ?? nativeAt(context, byteOf(json), `the edge has no values of type ${typeLabel(type)}`);
}

/** A reason of the engine's, which speaks of itself alone, as one of a model. */
export function atTheEdge(unsupported: string): string {
  return unsupported.replace(/ (is|are) not supported$/, " $1 not known to the edge");
}

/** DuckDB's name of a kind of thing in words. */
export function named(kind: string): string {
  return kind.replaceAll("_", " ").toLowerCase();
}
