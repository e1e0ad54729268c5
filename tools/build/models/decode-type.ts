import type { IrType } from "../../../lakehouse/engine/ir/ir.ts";
import { indexAt, isObject, type JsonObject, objectAt, objectsAt, textAt } from "./json.ts";

const simple: Readonly<Record<string, IrType>> = {
  BOOLEAN: { kind: "bool" },
  INTEGER: { kind: "int32" },
  BIGINT: { kind: "int64" },
  HUGEINT: { kind: "hugeint" },
  DOUBLE: { kind: "float64" },
  DATE: { kind: "date" },
  TIMESTAMP: { kind: "timestamp" },
  "TIMESTAMP WITH TIME ZONE": { kind: "timestamptz" },
  INTERVAL: { kind: "interval" },
  VARCHAR: { kind: "utf8" },
  BLOB: { kind: "binary" },
};

/** A type of the plan, or `undefined` when the IR does not have it (SMALLINT, UUID, MAP, ...). */
export function decodeType(json: JsonObject): IrType | undefined {
  const id = textAt(json, "id");
  const info = json["type_info"];
  if (!isObject(info)) return simple[id];
  switch (id) {
    case "DECIMAL":
      return { kind: "decimal", precision: indexAt(info, "width"), scale: indexAt(info, "scale") };
    case "LIST": {
      const item = decodeType(objectAt(info, "child_type"));
      return item === undefined ? undefined : { kind: "list", item };
    }
    case "STRUCT": {
      const fields = objectsAt(info, "child_types").map((child) => {
        const type = decodeType(objectAt(child, "second"));
        return type === undefined ? undefined : { name: textAt(child, "first"), type };
      });
      const known = fields.filter((field) => field !== undefined);
      return known.length === fields.length ? { kind: "struct", fields: known } : undefined;
    }
    default:
      return undefined;
  }
}

/** DuckDB's name of the type, for messages about types that the IR does not have. */
export function typeLabel(json: JsonObject): string {
  const id = textAt(json, "id");
  const info = json["type_info"];
  // JSON is a VARCHAR with a name of its own; a collation is written the same way.
  const alias = isObject(info) ? info["alias"] : undefined;
  if (typeof alias === "string" && alias !== "") return alias;
  if (isObject(info) && typeof info["collation"] === "string") return `${id} with the collation ${info["collation"]}`;
  return id === "LIST" && isObject(info) ? `${typeLabel(objectAt(info, "child_type"))}[]` : id;
}
