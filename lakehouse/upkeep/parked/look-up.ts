/** Whether bronze has a message's events already: what must be known before a message that nobody remembers is sent again. */

import type { MessageHeader } from "../../../schemas/packed-block.ts";
import { formatTimestamp } from "../../../schemas/time.ts";
import { filesReceivedAt, type MessageFile, registeredFrom } from "../../../sql/statements/message-files.ts";
import { parkedSliceKey, registeredSlices } from "../../../sql/statements/parked-slices.ts";
import { valueAt } from "../../engine/columns/value.ts";
import { openParquet } from "../../engine/parquet/reader.ts";
import { mayHold } from "../../engine/parquet/statistics.ts";
import type { WasmPermit } from "../../engine/parquet/wasm.ts";
import { foldedFiles } from "../../tables/bronze/folded-files.ts";
import { type LakeBucket, MissingObjectError, sizedSource } from "../../tables/lake.ts";
import type { RedriveDeps, Redriven } from "./redrive-deps.ts";

export type LookUp =
  /** By slice number: whether bronze has its events, or a flush set it aside. A slice is appended as a whole, so one row tells of all. */
  | { readonly kind: "known"; readonly stored: readonly boolean[] }
  /** Files of its time are gone, so that nobody can tell. */
  | { readonly kind: "gone"; readonly files: number };

/**
 * What a look-up found, or why there was none: rows of its shards that are in no file yet, or others at the isolate's permit, which
 * pass; bronze of its time that is gone, which does not. `ids`: every id that the message was ever sent under. Throws what D1, R2
 * and the reader throw.
 */
export async function lookUpWhenSettled(
  header: MessageHeader,
  ids: readonly string[],
  deps: Pick<RedriveDeps, "db" | "bucket" | "hasUnflushed" | "permit">,
): Promise<(LookUp & { readonly kind: "known" }) | (Redriven & { readonly kind: "postponed" | "kept" })> {
  for (const { shard, of } of header.slices) {
    if (!(await deps.hasUnflushed(header.topic, shard, of))) continue;
    return { kind: "postponed", detail: `shard ${shard} of ${of} has rows that are in no file yet` };
  }
  using permit = deps.permit();
  if (permit === undefined) {
    return { kind: "postponed", detail: "another operation holds the isolate's permit for Parquet" };
  }
  const found = await lookUp(deps.db, { bucket: deps.bucket, permit }, header, ids);
  if (found.kind === "known") return found;
  const detail = `${found.files} bronze files of its time are gone: nobody can tell whether they had it`;
  return { kind: "kept", detail };
}

interface ReadableLake {
  readonly bucket: Pick<LakeBucket, "get">;
  readonly permit: WasmPermit;
}

async function lookUp(
  db: D1Database,
  lake: ReadableLake,
  header: MessageHeader,
  ids: readonly string[],
): Promise<LookUp> {
  const files = await filesOfTime(db, lake.bucket, header.topic, formatTimestamp(header.received));
  const setAside = await setAsideUnder(db, header, ids);
  const stored: boolean[] = [];
  let gone = 0;
  for (const [number, { shard, of }] of header.slices.entries()) {
    if (setAside[number] === true) {
      stored.push(true);
      continue;
    }
    let found = false;
    for (const file of files.filter((each) => each.shard === shard && each.shard_of === of)) {
      const answer = await holds(lake, file, ids);
      if (answer === undefined) gone++;
      if (answer !== true) continue;
      found = true;
      break;
    }
    stored.push(found);
  }
  return stored.every(Boolean) || gone === 0 ? { kind: "known", stored } : { kind: "gone", files: gone };
}

/** Every file that can have something received at this time (ISO 8601 UTC), in D1 or folded. */
async function filesOfTime(
  db: D1Database,
  bucket: ReadableLake["bucket"],
  topic: string,
  received: string,
): Promise<readonly MessageFile[]> {
  const listed = await filesReceivedAt(db, topic, received);
  const second = received.slice(0, 19);
  const range = {
    received: { from: second, to: `${second}~` },
    registered: { from: registeredFrom(received), to: "~" },
  };
  const folded = await foldedFiles(db, bucket, topic, range);
  const holds = ({ min_received, max_received }: (typeof folded)[number]): boolean =>
    min_received.slice(0, 19) <= second && max_received.slice(0, 19) >= second;
  return [...listed, ...folded.filter(holds).map((file) => ({ ...file, retired: file.retired === true }))];
}

/** By slice number: whether a flush set it aside under one of the ids; it then goes on by itself. */
async function setAsideUnder(db: D1Database, header: MessageHeader, ids: readonly string[]): Promise<boolean[]> {
  const keys = header.slices.map(({ shard, of }) =>
    ids.map((messageId) => parkedSliceKey({ topic: header.topic, shard, shardOf: of }, { messageId })),
  );
  const registered = await registeredSlices(db, keys.flat());
  return keys.map((ofSlice) => ofSlice.some((key) => registered.has(key)));
}

/** Whether a file has a row of one of the messages; undefined if it is retired and its object is gone. */
async function holds(
  { bucket, permit }: ReadableLake,
  { file, bytes, retired }: MessageFile,
  ids: readonly string[],
): Promise<boolean | undefined> {
  try {
    const parquet = await openParquet(sizedSource(bucket, file, bytes));
    for (const [group] of parquet.rowGroups.entries()) {
      if (!ids.some((id) => mayHold(parquet.range(group, "_message"), id))) continue;
      for await (const { columns, length } of parquet.read(permit, { columns: ["_message"], rowGroups: [group] })) {
        const [messages] = columns;
        for (let row = 0; messages !== undefined && row < length; row++) {
          if (ids.includes(String(valueAt(messages, row)))) return true;
        }
      }
    }
    return false;
  } catch (error) {
    if (error instanceof MissingObjectError && retired) return undefined;
    throw error;
  }
}
