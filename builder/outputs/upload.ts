/** Brings an order's files to the platform, a few at once; a file that is longer than one request may be, in parts. */
import { openAsBlob } from "node:fs";
import { UPLOAD_PART_BYTES } from "../../lakehouse/builds/native/wire.ts";
import { atOnce } from "../at-once.ts";
import type { OutputFile } from "../duckdb/output.ts";
import type { PlatformClient } from "../platform/client.ts";

const AT_ONCE = 3;

export type UploadClient = Pick<PlatformClient, "putOutput" | "openOutput" | "putPart" | "joinOutput">;

export interface UploadOutputs {
  readonly client: UploadClient;
  readonly run: string;
  /** File n of the output is the n-th of them. */
  readonly files: readonly OutputFile[];
  readonly signal: AbortSignal;
  /** From 0 to 1, by bytes. */
  readonly onProgress: (done: number) => void;
  /** Of one request. */
  readonly partBytes?: number;
}

/** All files are there when this resolves. Throws what the platform's calls throw, and Error when it has another length than was sent. */
export async function uploadOutputs(upload: UploadOutputs): Promise<void> {
  const { files, signal, onProgress } = upload;
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let sent = 0;
  await atOnce(AT_ONCE, [...files.entries()], signal, ([n, file], either) =>
    uploadFile({ ...upload, signal: either }, n, file, (bytes) => {
      sent += bytes;
      onProgress(Math.min(1, sent / total));
    }),
  );
}

async function uploadFile(
  { client, run, signal, partBytes = UPLOAD_PART_BYTES }: UploadOutputs,
  n: number,
  { path, bytes }: OutputFile,
  onSent: (bytes: number) => void,
): Promise<void> {
  // A view of the file: its bytes are read while they are sent.
  const blob = await openAsBlob(path);
  if (bytes <= partBytes) {
    demandLength(n, bytes, (await client.putOutput(run, n, blob, signal)).bytes);
    return onSent(bytes);
  }
  const upload = await client.openOutput(run, n, signal);
  const parts: { part: number; etag: string }[] = [];
  for (let start = 0; start < bytes; start += partBytes) {
    const end = Math.min(start + partBytes, bytes);
    const part = parts.length + 1;
    const answer = await client.putPart(run, n, upload, part, blob.slice(start, end), signal);
    demandLength(n, end - start, answer.bytes);
    parts.push({ part, etag: answer.etag });
    onSent(end - start);
  }
  demandLength(n, bytes, (await client.joinOutput(run, n, { upload, parts }, signal)).bytes);
}

function demandLength(n: number, sent: number, stands: number): void {
  if (sent !== stands) throw new Error(`output ${n}: ${sent} bytes were sent, ${stands} stand there`);
}
