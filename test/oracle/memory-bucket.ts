/** R2 in memory with R2's own refusals: create-if-absent, compare-and-swap, ranges, and on demand an error. */
import { createHash } from "node:crypto";

interface Stored {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly customMetadata: Record<string, string>;
}

export class MemoryBucket {
  readonly objects = new Map<string, Stored>();
  /** Consumed one per operation: an error to throw instead of doing it. */
  readonly failures: (Error | undefined)[] = [];

  bytesOf(key: string): Uint8Array {
    const stored = this.objects.get(key);
    if (stored === undefined) throw new Error(`no object ${key}; there are ${[...this.objects.keys()].join(", ")}`);
    return stored.bytes;
  }

  async head(key: string): Promise<R2Object | null> {
    this.#mayFail();
    const stored = this.objects.get(key);
    return stored === undefined ? null : describe(key, stored);
  }

  async put(key: string, value: unknown, options?: R2PutOptions): Promise<R2Object> {
    this.#mayFail();
    const existing = this.objects.get(key);
    const condition = options?.onlyIf;
    if (condition !== undefined && !(condition instanceof Headers)) {
      if (condition.etagDoesNotMatch === "*" && existing !== undefined) return refuse();
      if (condition.etagMatches !== undefined && existing?.etag !== condition.etagMatches) return refuse();
    }
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value instanceof Uint8Array ? value.slice() : new Uint8Array();
    const stored = {
      bytes,
      etag: createHash("md5").update(bytes).digest("hex"),
      customMetadata: options?.customMetadata ?? {},
    };
    this.objects.set(key, stored);
    return describe(key, stored);
  }

  #mayFail(): void {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  }
}

// R2 answers null to a condition that does not hold; its types say so only in one overload.
function refuse(): R2Object {
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
    uploaded: new Date(0),
    customMetadata: stored.customMetadata,
    storageClass: "Standard",
    writeHttpMetadata: () => {},
  };
  return base;
}
