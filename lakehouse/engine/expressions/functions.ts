import type { Call } from "../ir/ir.ts";
import { bindAbs, bindArithmetic, bindRound, bindWhole } from "./arithmetic.ts";
import { bindComparison, bindDistinctFrom, bindIn } from "./comparison.ts";
import { bindDatePart, bindDateTrunc, bindNamedPart } from "./dates.ts";
import { bindIntervalArithmetic, bindIntervalOf } from "./intervals.ts";
import { bindJsonText } from "./json-path.ts";
import { bindExtreme, bindIsNull, bindNot } from "./logic.ts";
import { bindListAggregate, bindListContains, bindListElement, bindStructField, listLength } from "./nested.ts";
import { bindConcat, bindLetterCase, bindTextLength, bindTextSearch } from "./strings.ts";
import { bindConcatWith, bindPosition, bindReplace, bindSplit, bindTrim } from "./text-edits.ts";
import { bindLike } from "./text-patterns.ts";
import { bindLeft, bindRight, bindSubstring } from "./text-slices.ts";
import { bindDateDiff, bindTimeBucket } from "./time-buckets.ts";
import { bindTimeSteps } from "./time-steps.ts";
import { argument, type Kernel, type Unsupported, unsupported } from "./vector.ts";

type Binder = (call: Call) => Kernel | Unsupported;

/** The operators of numbers, of times and of intervals share their names. */
const bindOperator: Binder = (call) => {
  if (call.args.some(({ type }) => type.kind === "interval") && call.type.kind === "interval")
    return bindIntervalArithmetic(call);
  const ofTimes = call.args.some(({ type }) => ["interval", "timestamp", "timestamptz"].includes(type.kind));
  return ofTimes ? bindTimeSteps(call) : bindArithmetic(call);
};

/** Comparisons bring intervals into a normal form first; ours compare what they are worth. */
const bindSame: Binder = () => (columns) => argument(columns, 0);

const bindLength: Binder = (call) => (call.args[0]?.type.kind === "list" ? listLength : bindTextLength(call));

/**
 * Every scalar function that a model may use, by DuckDB's bound name (comparisons, IN, NOT and IS NULL, which DuckDB binds as
 * operators, by their SQL). A binder answers for the overload: the kernel, or why there is none. The compiler binds each
 * call with this same table, so a plan that was compiled cannot meet an unknown function when it runs.
 */
const binders: ReadonlyMap<string, Binder> = new Map<string, Binder>([
  ...["+", "-", "*", "/", "//", "%"].map((name) => [name, bindOperator] as const),
  ...["=", "<>", "<", "<=", ">", ">="].map((name) => [name, bindComparison] as const),
  ["is distinct from", bindDistinctFrom],
  ["is not distinct from", bindDistinctFrom],
  ["in", bindIn],
  ["not", bindNot],
  ["is null", bindIsNull],
  ["is not null", bindIsNull],
  ["greatest", bindExtreme],
  ["least", bindExtreme],
  ["abs", bindAbs],
  ["@", bindAbs],
  ["round", bindRound],
  ...["floor", "ceil", "ceiling", "trunc"].map((name) => [name, bindWhole] as const),
  ["date_trunc", bindDateTrunc],
  ["datetrunc", bindDateTrunc],
  ["date_part", bindDatePart],
  ["datepart", bindDatePart],
  ...["year", "quarter", "month", "week", "weekofyear", "day", "dayofmonth", "dayofweek", "weekday", "isodow"].map(
    (name) => [name, bindNamedPart] as const,
  ),
  ...["dayofyear", "hour", "minute", "second", "epoch"].map((name) => [name, bindNamedPart] as const),
  ...["date_diff", "datediff"].map((name) => [name, bindDateDiff] as const),
  ["time_bucket", bindTimeBucket],
  ...["to_years", "to_quarters", "to_months", "to_weeks", "to_days"].map((name) => [name, bindIntervalOf] as const),
  ...["to_hours", "to_minutes", "to_seconds", "to_milliseconds", "to_microseconds"].map(
    (name) => [name, bindIntervalOf] as const,
  ),
  ["normalized_interval", bindSame],
  ...["lower", "lcase", "upper", "ucase"].map((name) => [name, bindLetterCase] as const),
  ...["length", "len"].map((name) => [name, bindLength] as const),
  ["strlen", bindTextLength],
  ["||", bindConcat],
  ["concat", bindConcat],
  ...["starts_with", "^@", "prefix", "ends_with", "suffix", "contains"].map((name) => [name, bindTextSearch] as const),
  ...["~~", "!~~", "~~*", "!~~*"].map((name) => [name, bindLike] as const),
  ...["like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape"].map((name) => [name, bindLike] as const),
  ...["substring", "substr"].map((name) => [name, bindSubstring] as const),
  ["left", bindLeft],
  ["right", bindRight],
  ...["trim", "ltrim", "rtrim"].map((name) => [name, bindTrim] as const),
  ["replace", bindReplace],
  ...["strpos", "instr", "position"].map((name) => [name, bindPosition] as const),
  ["concat_ws", bindConcatWith],
  ...["string_split", "str_split", "split", "string_to_array"].map((name) => [name, bindSplit] as const),
  ...["list_sum", "list_avg", "list_min", "list_max", "list_count"].map((name) => [name, bindListAggregate] as const),
  ...["array_extract", "list_extract", "list_element"].map((name) => [name, bindListElement] as const),
  ...["list_contains", "array_contains", "list_has", "array_has"].map((name) => [name, bindListContains] as const),
  ["struct_extract", bindStructField],
  ["->>", bindJsonText],
  ["json_extract_string", bindJsonText],
]);

/** The kernel of a call, or why that function or overload is not supported. */
export function bindFunction(call: Call): Kernel | Unsupported {
  const binder = binders.get(call.name);
  return binder === undefined ? unsupported(`the function ${call.name} is not supported`) : binder(call);
}
