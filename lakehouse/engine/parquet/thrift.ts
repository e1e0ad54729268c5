/**
 * Thrift's compact protocol, as far as Parquet's footer uses it, decoded without a schema into a tree and encoded back
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). Unknown fields survive the way there and
 * back, so a footer can be edited without knowing all of it. No maps, no sets: parquet.thrift has none.
 */
export type ThriftValue =
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "byte"; readonly value: number }
  /** i16, i32 or i64 by `wire`; never beyond 2^53. */
  | { readonly kind: "int"; readonly wire: IntWire; readonly value: number }
  | { readonly kind: "double"; readonly bytes: Uint8Array }
  | { readonly kind: "binary"; readonly bytes: Uint8Array }
  | { readonly kind: "list"; readonly element: number; readonly items: readonly ThriftValue[] }
  | ThriftStruct;

/** Fields by their id. A struct that was decoded is a view of its bytes (`EncodedStruct`): ask it once for what is read often. */
export interface ThriftStruct {
  readonly kind: "struct";
  readonly fields: ReadonlyMap<number, ThriftValue>;
}

type IntWire = typeof I16 | typeof I32 | typeof I64;

/** Types on the wire. */
export const TRUE = 1;
export const FALSE = 2;
export const BYTE = 3;
export const I16 = 4;
export const I32 = 5;
export const I64 = 6;
export const DOUBLE = 7;
export const BINARY = 8;
export const LIST = 9;
export const STRUCT = 12;

/** The bytes are not the Thrift that a Parquet footer holds. */
export class ThriftError extends Error {
  override readonly name = "ThriftError";
}

/** An i32 or i64 value. */
export function thriftInt(wire: "i32" | "i64", value: number): ThriftValue {
  return { kind: "int", wire: wire === "i32" ? I32 : I64, value };
}

/** A list of structs, the only kind of list whose items we make or pick ourselves. */
export function thriftStructs(items: readonly ThriftStruct[]): ThriftValue {
  return { kind: "list", element: STRUCT, items };
}

/** A copy of `struct` with some fields set, or removed where the value is undefined. */
export function withThriftFields(
  struct: ThriftStruct,
  changes: Iterable<readonly [id: number, value: ThriftValue | undefined]>,
): ThriftStruct {
  const fields = new Map(struct.fields);
  for (const [id, value] of changes) {
    if (value === undefined) fields.delete(id);
    else fields.set(id, value);
  }
  return { kind: "struct", fields };
}

/** The integer in a field, undefined when the field is absent. Throws ThriftError when it is something else. */
export function intField(struct: ThriftStruct, id: number): number | undefined {
  const value = struct.fields.get(id);
  if (value === undefined || value.kind === "int") return value?.value;
  throw new ThriftError(`field ${id} is not an integer`);
}

/** The text in a field. Throws ThriftError when it is absent or something else. */
export function textField(struct: ThriftStruct, id: number): string {
  const value = struct.fields.get(id);
  if (value?.kind === "binary") return new TextDecoder().decode(value.bytes);
  throw new ThriftError(`field ${id} is not a text`);
}

/** The struct in a field. Throws ThriftError when it is absent or something else. */
export function structField(struct: ThriftStruct, id: number): ThriftStruct {
  const value = struct.fields.get(id);
  if (value?.kind === "struct") return value;
  throw new ThriftError(`field ${id} is not a struct`);
}

/** The structs in a list field, none when it is absent. Throws ThriftError when it holds anything else. */
export function structsField(struct: ThriftStruct, id: number): ThriftStruct[] {
  const value = struct.fields.get(id);
  if (value === undefined) return [];
  if (value.kind !== "list") throw new ThriftError(`field ${id} is not a list`);
  return value.items.map((item) => {
    if (item.kind === "struct") return item;
    throw new ThriftError(`field ${id} holds something other than structs`);
  });
}
