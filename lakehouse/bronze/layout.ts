/**
 * The layout of a flush: which of its rows stand in which file. It is stored before the first file is put and never changes: a
 * deploy that lays out otherwise, or tells dates otherwise, would else register rows of a file that hold other rows.
 */
import * as z from "zod";
import type { Contract } from "../../contracts/contract.ts";
import { type FileDate, type PlannedFile, plannedFile } from "./files.ts";

/** What tells the date of a row: part of a contract, and another deploy's may differ. */
export interface DateRule extends Pick<Contract, "eventTime"> {
  readonly partition: Pick<Contract["partition"], "source">;
}

export interface FlushLayout {
  /** SHA-256 of the frames that it lays out, in hex. */
  readonly input: string;
  readonly rule: DateRule;
  readonly files: readonly PlannedFile[];
}

export function dateRuleOf({ eventTime, partition }: DateRule): DateRule {
  return { eventTime, partition: { source: partition.source } };
}

/** The form of what stands in an object's metadata: a reader that does not know it must not guess. */
export const LAYOUT_FORMAT = "1";

/**
 * The dates of a file as text: `20412:17,20413:5` are 17 rows of day 20412 since the epoch, and 5 of the next behind them. As it
 * stands in the metadata of the object and in the buffer.
 */
export function layoutText(dates: readonly FileDate[]): string {
  return dates.map(({ day, rows }) => `${day}:${rows}`).join(",");
}

const DATES = /^-?\d+:\d+(,-?\d+:\d+)*$/;

/** The dates of `layoutText`; undefined for any other text. */
export function datesOf(text: string): readonly FileDate[] | undefined {
  if (!DATES.test(text)) return undefined;
  const dates = text.split(",").map((date) => {
    const [day = "", rows = ""] = date.split(":");
    return { day: Number(day), rows: Number(rows) };
  });
  return plannedFile("", dates).dates;
}

const storedLayout = z.object({
  input: z.string(),
  eventTime: z.string(),
  source: z.enum(["event", "received"]),
  files: z.array(z.tuple([z.string(), z.string()])),
});

/** As the buffer stores it: a few hundred bytes, and a dozen for each date. */
export function writeLayout({ input, rule, files }: FlushLayout): string {
  const stored: z.infer<typeof storedLayout> = {
    input,
    eventTime: rule.eventTime,
    source: rule.partition.source,
    files: files.map(({ key, dates }) => [key, layoutText(dates)]),
  };
  return JSON.stringify(stored);
}

/** What `writeLayout` wrote. Throws on anything else. */
export function readLayout(text: string): FlushLayout {
  const { input, eventTime, source, files } = storedLayout.parse(JSON.parse(text));
  return {
    input,
    rule: { eventTime, partition: { source } },
    files: files.map(([key, dates]) => {
      const read = datesOf(dates);
      if (read === undefined) throw new Error(`the stored layout of ${key} is no layout: ${dates.slice(0, 100)}`);
      return plannedFile(key, read);
    }),
  };
}
