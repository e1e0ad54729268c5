/** Brings one input to disk, however often the line is cut. */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { scatteredWaitAfter } from "../../schemas/backoff.ts";
import { errorOf, mayTryAgain, RefusedError, UnreachableError } from "../platform/refusal.ts";
import { networkFault } from "../platform/retry.ts";
import { LeaseLostError, pause, reasonOf } from "../stopped.ts";

/** This machine's disk took no more: its message says why. */
export class DiskFaultError extends Error {
  override readonly name = "DiskFaultError";
}

/** Bytes from `from` on, of the version `etag` if one is given. */
export type ReadInput = (from: number, etag: string | undefined, signal: AbortSignal) => Promise<Response>;

export interface Download {
  readonly read: ReadInput;
  /** What the order says: a file of another length is not the one that it means. */
  readonly bytes: number;
  /** Where the file stands in the end. While it is not whole it stands beside, as `<path>.part`. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** Hears how many more bytes came; negative where some are read again. */
  readonly onBytes: (bytes: number) => void;
}

/** Tries that brought no byte, one after the other, before a download is given up. */
const FRUITLESS_TRIES = 8;
/** Times that a file is read from the beginning, since its version changed or its bytes are not those of its etag. */
const FRESH_STARTS = 3;
/** A line on which nothing comes for so long is cut. */
export const STALL_MS = 30_000;
const BACKOFF_MS = { first: 200, longest: 10_000 } as const;

/**
 * The file is there when this resolves, whole, of the order's length, and with the bytes of its etag where that is their MD5. Throws
 * UnreachableError when it cannot be had, what `errorOf` makes of refusals, and the signal's reason.
 */
export async function download(what: Download): Promise<void> {
  const draft = `${what.path}.part`;
  const handle = await open(draft, "w");
  try {
    await new Transfer(what, handle).run();
    // A machine that loses power would otherwise keep the name and lose the bytes.
    await handle.sync();
  } catch (error) {
    await handle.close();
    await rm(draft, { force: true });
    throw error;
  }
  await handle.close();
  await rename(draft, what.path);
}

class Transfer {
  readonly #what: Download;
  readonly #handle: FileHandle;
  #received = 0;
  #etag: string | undefined;
  #hash: Hash = createHash("md5");

  constructor(what: Download, handle: FileHandle) {
    this.#what = what;
    this.#handle = handle;
  }

  async run(): Promise<void> {
    const { bytes, signal } = this.#what;
    let starts = 1;
    for (let fruitless = 0; ; ) {
      const before = this.#received;
      const fault = await this.#readOn();
      if (fault === undefined && this.#received === bytes && this.#isWhole()) return;
      if (fault === undefined || this.#received > bytes) {
        // Another file came, or bytes that are not those of its etag.
        if (++starts > FRESH_STARTS)
          throw new UnreachableError(`an input is not what the order says: ${fault ?? this.#difference()}`);
        await this.#startAnew();
      }
      fruitless = this.#received > before ? 0 : fruitless + 1;
      if (fruitless >= FRUITLESS_TRIES) throw new UnreachableError(`an input cannot be read: ${fault ?? "cut off"}`);
      if (fruitless > 0) await pause(scatteredWaitAfter(BACKOFF_MS, fruitless, Math.random()), signal);
    }
  }

  /** Reads until the end or a fault, which is told; undefined: the answer ended as it said. */
  async #readOn(): Promise<string | undefined> {
    const { read, signal, bytes } = this.#what;
    if (this.#received === bytes && bytes > 0) return undefined;
    const stall = new AbortController();
    const cut = () => stall.abort(new Error(`nothing came for ${STALL_MS / 1_000} s`));
    let timer = setTimeout(cut, STALL_MS);
    try {
      const response = await read(this.#received, this.#etag, AbortSignal.any([signal, stall.signal]));
      const refusal = await this.#refusalOf(response);
      if (refusal !== undefined) return refusal;
      for await (const chunk of response.body ?? []) {
        clearTimeout(timer);
        timer = setTimeout(cut, STALL_MS);
        await this.#take(chunk);
        if (this.#received > bytes) return "it is longer";
      }
      // A line that is cut is an error of the body: what ended well and is shorter is another file.
      return undefined;
    } catch (error) {
      if (signal.aborted) throw reasonOf(signal);
      if (isFinal(error)) throw error;
      return networkFault(error);
    } finally {
      clearTimeout(timer);
      stall.abort();
    }
  }

  /** What to do about an answer's head: nothing (undefined), or to try again, for the reason given. Throws for a refusal that stays one. */
  async #refusalOf(response: Response): Promise<string | undefined> {
    if (response.status === 412) {
      await response.body?.cancel();
      await this.#startAnew();
      return "its version changed";
    }
    if (!response.ok) {
      const error = errorOf(response.status, await response.text());
      if (mayTryAgain(response.status)) return error.message;
      throw error;
    }
    // The whole file came, though its end was asked for.
    if (response.status === 200 && this.#received > 0) await this.#startAnew();
    this.#etag ??= response.headers.get("etag") ?? undefined;
    return undefined;
  }

  async #take(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    await this.#write(chunk);
    this.#received += chunk.length;
    this.#what.onBytes(chunk.length);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < chunk.length; ) {
        const more = await this.#handle.write(chunk, written, chunk.length - written, this.#received + written);
        written += more.bytesWritten;
      }
    } catch (cause) {
      throw new DiskFaultError(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }

  async #startAnew(): Promise<void> {
    this.#what.onBytes(-this.#received);
    this.#received = 0;
    this.#etag = undefined;
    this.#hash = createHash("md5");
    await this.#handle.truncate(0);
  }

  /** R2's etag of an object that was put in one piece is the MD5 of its bytes; that of one in parts is none, and says nothing here. */
  #isWhole(): boolean {
    const [, md5] = /^"([0-9a-f]{32})"$/.exec(this.#etag ?? "") ?? [];
    return md5 === undefined || md5 === this.#hash.copy().digest("hex");
  }

  #difference(): string {
    return this.#received === this.#what.bytes ? "its bytes are not those of its etag" : "its length is another";
  }
}

/** Errors that no other try over the line mends. */
function isFinal(error: unknown): boolean {
  return error instanceof RefusedError || error instanceof LeaseLostError || error instanceof DiskFaultError;
}
