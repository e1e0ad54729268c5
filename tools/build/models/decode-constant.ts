import type { Constant, ConstantValue, IrType } from "../../../lakehouse/engine/ir/ir.ts";
import { byteOf, type DecodeContext, nativeAt } from "./decode-context.ts";
import { decodeType, typeLabel } from "./decode-type.ts";
import { isObject, type Json, type JsonObject, objectAt } from "./json.ts";

/** A literal of the plan. DuckDB folds nothing when it does not optimise: all but numbers and text comes as a cast of text. */
export function decodeConstant(json: JsonObject, context: DecodeContext): Constant | undefined {
  const literal = objectAt(json, "value");
  const type = decodeType(objectAt(literal, "type"));
  if (type !== undefined) {
    if (literal["is_null"] === true) return { node: "constant", value: null, type };
    const value = decodeValue(literal["value"], type);
    if (value !== undefined) return { node: "constant", value, type };
  }
  return nativeAt(context, byteOf(json), `the edge has no constant of type ${typeLabel(objectAt(literal, "type"))}`);
}

function decodeValue(json: Json | undefined, type: IrType): ConstantValue | undefined {
  switch (type.kind) {
    case "bool":
      return typeof json === "boolean" ? json : undefined;
    case "int32":
    case "float64":
      return typeof json === "number"
        ? json
        : typeof json === "bigint" && type.kind === "float64"
          ? Number(json)
          : undefined;
    case "utf8":
      return typeof json === "string" ? json : undefined;
    case "int64":
    case "hugeint":
    case "decimal":
      return wholeNumber(json)?.toString();
    default:
      return undefined;
  }
}

/** 128-bit integers come as their upper (signed) and lower (unsigned) half. */
function wholeNumber(json: Json | undefined): bigint | undefined {
  if (typeof json === "bigint") return json;
  if (typeof json === "number") return Number.isInteger(json) ? BigInt(json) : undefined;
  if (!isObject(json)) return undefined;
  const upper = wholeNumber(json["upper"]);
  const lower = wholeNumber(json["lower"]);
  return upper === undefined || lower === undefined ? undefined : (upper << 64n) | lower;
}
