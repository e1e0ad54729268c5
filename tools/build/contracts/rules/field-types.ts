/** The types that the fields of a contract have in its rules. */
import type { FieldRule } from "../../../../contracts/contract.ts";
import type { Reading } from "../../../../contracts/rules/program.ts";
import type { RuleType } from "../../../../contracts/rules/types.ts";

/** A date is a timestamp: the instant at which it begins in UTC. A decimal is a double: the nearest one. */
export function typeOfField(field: FieldRule): RuleType {
  switch (field.kind) {
    case "boolean":
      return "bool";
    case "integer":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
    case "timestamp":
    case "date":
      return "timestamp";
    case "array":
      return { list: field.item === undefined ? "nothing" : typeOfField(field.item) };
    case "object":
      return { fields: field.fields ?? [] };
  }
}

export function readingOfField(field: FieldRule): Reading {
  switch (field.kind) {
    case "boolean":
      return "bool";
    case "integer":
      return "int";
    case "number":
      return "double";
    case "array":
      return { items: field.item === undefined ? "string" : readingOfField(field.item) };
    case "object":
      return "record";
    default:
      return field.kind;
  }
}
