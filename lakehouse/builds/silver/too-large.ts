/** What a person is told of a step at which builders vanish however small it is. */
import type { TopicTable } from "../../tables/catalog.ts";
import { StepTooLargeError } from "../planning/splits.ts";
import type { Portion } from "./portion.ts";

/** `rows`: what such a step may take at most. */
export function tooLarge(
  { name }: Pick<TopicTable, "name">,
  date: string,
  inputs: Portion["inputs"],
  rows: number,
): StepTooLargeError {
  const [first] = inputs;
  const where = first === undefined ? "its end" : `row ${first.first_row} of ${first.file}`;
  return new StepTooLargeError(
    `the builders of ${name} ${date} vanished again and again at ${where}, though a step was cut down to ${rows} rows: these need more memory or time than an isolate has; look at them (npm run query), bound the fields that are that large in the contract, and ask for another build: sluice backfill --table ${name} --from ${date} --to ${date} --reprocess failed`,
  );
}
