/**
 * The bytes that all requests of one isolate may hold at once. A request says what it needs in all, as it learns of it; what cannot
 * be granted is refused at once, since requests that wait for each other's memory would hold what they have meanwhile.
 */

export interface ByteBudgetOptions {
  /** For all requests together. */
  readonly totalBytes: number;
  /** For one request, so that one which can never be granted is told apart from one that comes at a bad time. */
  readonly requestBytes: number;
  /** The part of the total that is kept for requests of at most `smallBytes`: large ones never keep them out. */
  readonly smallShareBytes: number;
  readonly smallBytes: number;
}

export interface ByteLease {
  /** The request needs so many bytes in all. Unless they are granted, it keeps what it had. */
  need(bytes: number): "granted" | "busy" | "too_large";
  /** Gives everything back. Doing so twice does nothing. */
  close(): void;
}

/** What of a request takes memory at once. `reserved`: the least that it will need, claimed before its body is read. */
export type MemoryPart = "reserved" | "body" | "events" | "answer";

/** Claims so many bytes for a part, in place of what it had. Throws the problems OVERLOADED and BODY_TOO_LARGE. */
export type ClaimMemory = (part: MemoryPart, bytes: number) => void;

export interface ByteBudget {
  open(): ByteLease;
  /** What is held now. */
  heldBytes(): number;
}

export function createByteBudget(options: ByteBudgetOptions): ByteBudget {
  const { totalBytes, requestBytes, smallShareBytes, smallBytes } = options;
  let held = 0;
  return {
    open() {
      let own = 0;
      return {
        need(bytes) {
          if (bytes > requestBytes) return "too_large";
          const growth = bytes - own;
          const limit = bytes > smallBytes ? totalBytes - smallShareBytes : totalBytes;
          if (growth > 0 && held + growth > limit) return "busy";
          held += growth;
          own = bytes;
          return "granted";
        },
        close() {
          held -= own;
          own = 0;
        },
      };
    },
    heldBytes: () => held,
  };
}
