import type { Column, ColumnType } from "../../../../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../../../../lakehouse/engine/columns/value.ts";
import { prepare } from "../../../../../lakehouse/engine/expressions/prepare.ts";
import type { ConstantValue, Expression, IrType } from "../../../../../lakehouse/engine/ir/ir.ts";
import { columnTypeOf } from "../../../../../lakehouse/engine/ir/ir-types.ts";
import { columnOf, valuesOf } from "../columns/column-of.ts";

export const bool: IrType = { kind: "bool" };
export const int32: IrType = { kind: "int32" };
export const int64: IrType = { kind: "int64" };
export const hugeint: IrType = { kind: "hugeint" };
export const float64: IrType = { kind: "float64" };
export const utf8: IrType = { kind: "utf8" };
export const date: IrType = { kind: "date" };
export const timestamp: IrType = { kind: "timestamp" };
export const timestamptz: IrType = { kind: "timestamptz" };
export const decimal = (precision: number, scale: number): IrType => ({ kind: "decimal", precision, scale });
export const list = (item: IrType): IrType => ({ kind: "list", item });

export const column = (index: number, type: IrType): Expression => ({ node: "column", index, type });
export const constant = (value: ConstantValue, type: IrType): Expression => ({ node: "constant", value, type });
export const call = (name: string, type: IrType, ...args: readonly Expression[]): Expression => ({
  node: "call",
  name,
  args,
  type,
});
export const cast = (arg: Expression, type: IrType, lenient = false): Expression => ({
  node: "cast",
  arg,
  lenient,
  type,
});

/** A column of values in the forms that `valueAt` gives. */
export function columnOfIr(type: IrType, values: readonly Value[]): Column {
  const stored: ColumnType = columnTypeOf(type);
  return columnOf(stored, values);
}

/** The values of an expression over columns given as [type, values]. */
export function evaluate(
  expression: Expression,
  ...inputs: readonly (readonly [IrType, readonly Value[]])[]
): readonly Value[] {
  const columns = inputs.map(([type, values]) => columnOfIr(type, values));
  return valuesOf(prepare(expression)({ columns, length: columns[0]?.length ?? 1 }));
}

/** A function of columns of the given values, which are its arguments in order. */
export function apply(
  name: string,
  type: IrType,
  ...inputs: readonly (readonly [IrType, readonly Value[]])[]
): readonly Value[] {
  return evaluate(call(name, type, ...inputs.map(([argType], index) => column(index, argType))), ...inputs);
}
