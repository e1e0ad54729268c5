/** Bronze for a build: files of flushes, put into the lake and registered as a buffer does it, without the way through the gateway. */
import { type BronzeFile, registerFlush } from "../../../sql/statements/bronze.ts";
import type { Builder } from "./builder.ts";

export interface FlushedFile {
  readonly file: BronzeFile;
  readonly bytes: Uint8Array;
}

/** Puts and registers flushes of one file each. Their order is that of their positions. */
export async function addBronze(builder: Pick<Builder, "db" | "put">, flushes: readonly FlushedFile[]) {
  await Promise.all(flushes.map(({ file, bytes }) => builder.put(file.file, bytes)));
  const now = new Date().toISOString();
  const nothingWaits = { rows: 0, bytes: 0, oldestAt: null };
  const { db } = builder;
  await db.batch(flushes.flatMap(({ file }) => registerFlush(db, file, [file], nothingWaits, now)));
}
