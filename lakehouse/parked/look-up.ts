/** Whether bronze has a message's events already: what must be known before a message that nobody remembers is sent again. */
import type { MessageHeader } from "../../schemas/packed-block.ts";
import { formatTimestamp } from "../../schemas/time.ts";
import { filesReceivedAt, type MessageFile } from "../../sql/statements/message-files.ts";
import { valueAt } from "../columns/value.ts";
import { openParquet } from "../parquet/reader.ts";
import { mayHold } from "../parquet/statistics.ts";
import { type LakeBucket, MissingObjectError, sizedSource } from "../tables/lake.ts";

export type LookUp =
  /** By slice number: whether bronze has its events. A slice is appended as a whole, so one row tells of all. */
  | { readonly kind: "known"; readonly stored: readonly boolean[] }
  /** Files of its time are gone, so that nobody can tell. */
  | { readonly kind: "gone"; readonly files: number };

/** `ids`: every id that the message was ever sent under. Throws what D1, R2 and the reader throw. Call it while holding the permit of `tryAcquireWasm`. */
export async function lookUp(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  header: MessageHeader,
  ids: readonly string[],
): Promise<LookUp> {
  const files = await filesReceivedAt(db, header.topic, formatTimestamp(header.received));
  const stored: boolean[] = [];
  let gone = 0;
  for (const { shard, of } of header.slices) {
    let found = false;
    for (const file of files.filter((each) => each.shard === shard && each.shard_of === of)) {
      const answer = await holds(bucket, file, ids);
      if (answer === undefined) gone++;
      if (answer !== true) continue;
      found = true;
      break;
    }
    stored.push(found);
  }
  return stored.every(Boolean) || gone === 0 ? { kind: "known", stored } : { kind: "gone", files: gone };
}

/** Whether a file has a row of one of the messages; undefined if it is retired and its object is gone. */
async function holds(
  bucket: Pick<LakeBucket, "get">,
  { file, bytes, retired_by }: MessageFile,
  ids: readonly string[],
): Promise<boolean | undefined> {
  try {
    const parquet = await openParquet(sizedSource(bucket, file, bytes));
    for (const [group] of parquet.rowGroups.entries()) {
      if (!ids.some((id) => mayHold(parquet.range(group, "_message"), id))) continue;
      for await (const { columns, length } of parquet.read({ columns: ["_message"], rowGroups: [group] })) {
        const [messages] = columns;
        for (let row = 0; messages !== undefined && row < length; row++) {
          if (ids.includes(String(valueAt(messages, row)))) return true;
        }
      }
    }
    return false;
  } catch (error) {
    if (error instanceof MissingObjectError && retired_by !== null) return undefined;
    throw error;
  }
}
