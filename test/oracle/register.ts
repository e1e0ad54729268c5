/** Registration of a flush as its buffer does it, which has nothing else. */
import { type BronzeFile, registerFlush } from "../../sql/statements/bronze.ts";

/** The statements for the files of one flush, for a batch. */
export function registerFiles(db: D1Database, files: readonly BronzeFile[], now: string): D1PreparedStatement[] {
  const [flush] = files;
  if (flush === undefined) return [];
  if (files.some(({ shard, incarnation, seq }) => [shard, incarnation, seq].join() !== nameOf(flush)))
    throw new Error("files of several flushes");
  return registerFlush(db, flush, files, { rows: 0, bytes: 0, oldestAt: null }, now);
}

function nameOf({ shard, incarnation, seq }: BronzeFile): string {
  return [shard, incarnation, seq].join();
}
