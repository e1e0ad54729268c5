/** R2 in memory with R2's own refusals: create-if-absent, compare-and-swap, ranges, and on demand an error. */
import { createHash } from "node:crypto";

interface Stored {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly customMetadata: Record<string, string>;
  readonly uploaded: Date;
}

/** As a failure: the operation is done, and only its answer is lost. */
export class AnswerLostError extends Error {
  override readonly name = "AnswerLostError";
}

export class MemoryBucket {
  readonly objects = new Map<string, Stored>();
  /** Consumed one per operation: an error to throw instead of doing it, or (`AnswerLostError`) after it. */
  readonly failures: (Error | undefined)[] = [];
  readonly #now: () => number;
  readonly #uploads = new Map<
    string,
    { readonly key: string; readonly parts: Map<number, { readonly etag: string; readonly bytes: Uint8Array }> }
  >();

  /** `now`: R2's clock, milliseconds since the epoch; it stands at 0 when absent. */
  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  bytesOf(key: string): Uint8Array {
    const stored = this.objects.get(key);
    if (stored === undefined) throw new Error(`no object ${key}; there are ${[...this.objects.keys()].join(", ")}`);
    return stored.bytes;
  }

  head(key: string): Promise<R2Object | null> {
    return this.#operation(() => {
      const stored = this.objects.get(key);
      return stored === undefined ? null : describe(key, stored);
    });
  }

  /** Conditions are not simulated: ranges are. */
  async get(key: string, options?: R2GetOptions): Promise<R2ObjectBody> {
    const found = await this.#operation(() => {
      const stored = this.objects.get(key);
      return stored === undefined ? undefined : body(key, stored, rangeOf(options, stored.bytes.byteLength));
    });
    return found ?? refuse();
  }

  async put(key: string, value: unknown, options?: R2PutOptions): Promise<R2Object> {
    if (!(value instanceof ReadableStream)) return this.#operation(() => this.#store(key, bytesOf(value), options));
    // A stream is read while the operation goes on, so its failure is taken before.
    const failure = this.failures.shift();
    if (failure !== undefined && !(failure instanceof AnswerLostError)) {
      await value.cancel(failure);
      throw failure;
    }
    const stored = this.#store(key, await new Response(value).bytes(), options);
    if (failure !== undefined) throw failure;
    return stored;
  }

  #store(key: string, bytes: Uint8Array, options: R2PutOptions | undefined): R2Object {
    const existing = this.objects.get(key);
    const condition = options?.onlyIf;
    if (condition !== undefined && !(condition instanceof Headers)) {
      if (condition.etagDoesNotMatch === "*" && existing !== undefined) return refuse();
      if (condition.etagMatches !== undefined && existing?.etag !== condition.etagMatches) return refuse();
    }
    const etag = createHash("md5").update(bytes).digest("hex");
    const stored = { bytes, etag, customMetadata: options?.customMetadata ?? {}, uploaded: new Date(this.#now()) };
    this.objects.set(key, stored);
    return describe(key, stored);
  }

  /** In the order of keys; `cursor` is the last key of the page before. */
  list(options: R2ListOptions = {}): Promise<R2Objects> {
    return this.#operation(() => {
      const { prefix = "", startAfter = "", cursor = startAfter, limit = 1_000, delimiter } = options;
      const all = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > cursor).sort();
      const folderOf = (key: string): string | undefined => {
        const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
        return end < 0 ? undefined : key.slice(0, end + 1);
      };
      const keys = all.filter((key) => folderOf(key) === undefined);
      const page = keys.slice(0, limit);
      const objects = page.flatMap((key) => {
        const stored = this.objects.get(key);
        return stored === undefined ? [] : [describe(key, stored)];
      });
      const last = page.at(-1);
      const listed = { objects, delimitedPrefixes: [...new Set(all.flatMap((key) => folderOf(key) ?? []))] };
      return keys.length > page.length && last !== undefined
        ? { ...listed, truncated: true as const, cursor: last }
        : { ...listed, truncated: false as const };
    });
  }

  delete(keys: string | string[]): Promise<void> {
    return this.#operation(() => {
      for (const key of typeof keys === "string" ? [keys] : keys) this.objects.delete(key);
    });
  }

  /** Parts of one upload stand beside the objects until they are joined. */
  createMultipartUpload(key: string): Promise<R2MultipartUpload> {
    const uploadId = `upload-${this.#uploads.size}`;
    this.#uploads.set(uploadId, { key, parts: new Map() });
    return this.#operation(() => this.resumeMultipartUpload(key, uploadId));
  }

  resumeMultipartUpload(key: string, uploadId: string): R2MultipartUpload {
    const open = () => {
      const upload = this.#uploads.get(uploadId);
      if (upload?.key !== key) throw new Error("The specified multipart upload does not exist.");
      return upload;
    };
    return {
      key,
      uploadId,
      uploadPart: async (partNumber, value) => {
        const bytes = value instanceof ReadableStream ? await new Response(value).bytes() : bytesOf(value);
        return this.#operation(() => {
          const etag = createHash("md5").update(bytes).digest("hex");
          open().parts.set(partNumber, { etag, bytes });
          return { partNumber, etag };
        });
      },
      abort: () => this.#operation(() => void this.#uploads.delete(uploadId)),
      complete: (uploaded) =>
        this.#operation(() => {
          const { parts } = open();
          const bytes = uploaded.map(({ partNumber, etag }) => {
            const part = parts.get(partNumber);
            if (part?.etag !== etag) throw new Error("One or more of the specified parts could not be found.");
            return part.bytes;
          });
          this.#uploads.delete(uploadId);
          return this.#store(key, Buffer.concat(bytes), undefined);
        }),
    };
  }

  async #operation<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    const failure = this.failures.shift();
    if (failure !== undefined && !(failure instanceof AnswerLostError)) throw failure;
    const result = work();
    await Promise.resolve();
    if (failure !== undefined) throw failure;
    return result;
  }
}

/** The runtime's own, which Node has not: a stream that must be as long as it said. */
class SizedStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor(expected: number | bigint) {
    let length = 0;
    super({
      transform(chunk, controller) {
        length += chunk.byteLength;
        // The writer frees its array.
        controller.enqueue(chunk.slice());
      },
      flush() {
        if (length !== Number(expected)) throw new TypeError(`a stream of ${expected} bytes got ${length}`);
      },
    });
  }
}
if (!("FixedLengthStream" in globalThis)) Object.assign(globalThis, { FixedLengthStream: SizedStream });

function bytesOf(value: unknown): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return value.slice();
  throw new TypeError("only texts and bytes are put in tests");
}

function rangeOf(options: R2GetOptions | undefined, size: number): { start: number; end: number } {
  const range = options?.range;
  if (range === undefined) return { start: 0, end: size };
  if (range instanceof Headers) throw new TypeError("ranges are not read from headers in tests");
  if ("suffix" in range) return { start: Math.max(0, size - range.suffix), end: size };
  const start = range.offset ?? 0;
  if (start > size) throw new RangeError("InvalidRange");
  return { start, end: Math.min(size, start + (range.length ?? size)) };
}

function body(key: string, stored: Stored, { start, end }: { start: number; end: number }): R2ObjectBody {
  const bytes = stored.bytes.slice(start, end);
  const response = () => new Response(bytes);
  return {
    ...describe(key, stored),
    writeHttpMetadata: () => {},
    range: { offset: start, length: end - start },
    get body() {
      return new Blob([bytes]).stream();
    },
    bodyUsed: false,
    arrayBuffer: () => response().arrayBuffer(),
    bytes: async () => bytes,
    text: () => response().text(),
    json: () => response().json(),
    blob: () => response().blob(),
  };
}

// R2 answers null to a condition that does not hold and to a key that is not there; its types say so only in one overload.
function refuse<T>(): T {
  return JSON.parse("null");
}

function describe(key: string, stored: Stored): R2Object {
  const base = {
    key,
    version: stored.etag,
    size: stored.bytes.byteLength,
    etag: stored.etag,
    httpEtag: `"${stored.etag}"`,
    checksums: { toJSON: () => ({}) },
    uploaded: stored.uploaded,
    customMetadata: stored.customMetadata,
    storageClass: "Standard",
    writeHttpMetadata: () => {},
  };
  return base;
}
