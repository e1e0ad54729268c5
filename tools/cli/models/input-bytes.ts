/** How much a build of a model reads, by the files that a platform has published of its inputs. */
import * as z from "zod";
import type { CompiledModel } from "../../../lakehouse/engine/ir/ir.ts";
import { firstDayOf, type Relation } from "../../../lakehouse/engine/ir/relation.ts";
import { CommandProblem } from "../../command-problem.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform, withQuery } from "../../platform-call.ts";

const filesAnswer = z.looseObject({
  files: z.array(z.looseObject({ partition_date: z.string(), bytes: z.int() })),
  next_cursor: z.string().nullable(),
});

interface DatedBytes {
  readonly partition_date: string;
  readonly bytes: number;
}

/** Of each input, what the newest partition reads; undefined where the platform has nothing of it, or the key may not ask. */
export async function inputBytes(platform: PlatformAddress, { inputs }: CompiledModel) {
  return await Promise.all(
    inputs.map(async ({ table, relation }) => {
      const files = await filesOf(platform, table);
      return { table, bytes: files && bytesRead(relation, files) };
    }),
  );
}

async function filesOf(platform: PlatformAddress, table: string): Promise<readonly DatedBytes[] | undefined> {
  const files: DatedBytes[] = [];
  let cursor: string | undefined;
  try {
    do {
      const path = withQuery(`/v1/tables/${table}/files`, { cursor });
      const answer = await callPlatform(platform, "GET", path, filesAnswer);
      files.push(...answer.files);
      cursor = answer.next_cursor ?? undefined;
    } while (cursor !== undefined);
  } catch (error) {
    if (error instanceof CommandProblem && error.message.startsWith("404")) return undefined;
    throw error;
  }
  return files;
}

/** The bytes that the newest partition reads of an input with these files. Pure. */
export function bytesRead(relation: Relation, files: readonly DatedBytes[]): number {
  const dates = [...new Set(files.map((file) => file.partition_date))].sort().toReversed();
  const [newest = ""] = dates;
  const read = new Set(datesOf(relation, dates, newest));
  return files.filter((file) => read.has(file.partition_date)).reduce((sum, { bytes }) => sum + bytes, 0);
}

function datesOf(relation: Relation, dates: readonly string[], newest: string): readonly string[] {
  switch (relation.kind) {
    case "all":
      return dates;
    case "last":
    case "next":
      return dates.slice(0, relation.days);
    case "within":
      return dates.filter((date) => firstDayOf(relation.unit, date) === firstDayOf(relation.unit, newest));
    default:
      return [newest];
  }
}
