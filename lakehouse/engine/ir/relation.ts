/**
 * Which partitions of an input a partition of a model reads. Partitions are named by dates: a day, or the first day of a
 * week (Monday) or month.
 */
export type Relation =
  /** The partition of the same date. */
  | { readonly kind: "same" }
  /** That day and the `days - 1` before it. */
  | { readonly kind: "last"; readonly days: number }
  /** That day and the `days - 1` after it. */
  | { readonly kind: "next"; readonly days: number }
  /** Every day of the week or month that the model's partition is. */
  | { readonly kind: "within"; readonly unit: "week" | "month" }
  /** Every partition. */
  | { readonly kind: "all" }
  /** The newest partition. */
  | { readonly kind: "latest" };

/** What a partition of a table spans. A table of one partition has no partition column. */
export type Grain = "day" | "week" | "month" | "one";

/** How the only partition of a table is named, where a name of a column and a date are asked for. */
export const ONLY_PARTITION = { column: "whole", date: "1970-01-01" } as const;

/** Dates from the first to the last, both included; "all" for every partition, "latest" for the newest. */
export type DatesRead = { readonly from: string; readonly to: string } | "all" | "latest";

/** What the partition `date` of a model reads of an input. */
export function datesRead(relation: Relation, date: string): DatesRead {
  switch (relation.kind) {
    case "same":
      return { from: date, to: date };
    case "last":
      return { from: addDays(date, 1 - relation.days), to: date };
    case "next":
      return { from: date, to: addDays(date, relation.days - 1) };
    case "within":
      return { from: date, to: lastDayOf(relation.unit, date) };
    case "all":
    case "latest":
      return relation.kind;
  }
}

/** Dates have four digits of a year, so that they are in order as texts: where there is none any more it is the first or the last. */
export function addDays(date: string, days: number): string {
  const at = new Date(`${date}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  const year = at.getUTCFullYear();
  return year < 0 ? FIRST_DATE : year > 9999 ? LAST_DATE : at.toISOString().slice(0, 10);
}

const FIRST_DATE = "0000-01-01";
const LAST_DATE = "9999-12-31";

/** Whether a table of that grain can have rows in a partition of that name. Others are left from when it was of another grain, and are empty. */
export function isPartitionOf(grain: Grain, date: string): boolean {
  if (grain === "one") return date === ONLY_PARTITION.date;
  return grain === "day" || firstDayOf(grain, date) === date;
}

/** The first day of the week or month that a day lies in. */
export function firstDayOf(unit: "week" | "month", date: string): string {
  if (unit === "month") return `${date.slice(0, 8)}01`;
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return addDays(date, -((weekday + 6) % 7));
}

/** The last day of the week or month that begins on a day. */
export function lastDayOf(unit: "week" | "month", first: string): string {
  if (unit === "week") return addDays(first, 6);
  const at = new Date(`${first}T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + 1, 0);
  return at.toISOString().slice(0, 10);
}

/** The relation in the words of a model's front matter. */
export function relationText(relation: Relation): string {
  switch (relation.kind) {
    case "last":
    case "next":
      return `${relation.kind}(${relation.days})`;
    case "within":
      return `within(${relation.unit})`;
    default:
      return relation.kind;
  }
}
