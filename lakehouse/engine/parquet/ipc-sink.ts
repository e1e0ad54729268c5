import { AsyncByteQueue } from "apache-arrow";

/**
 * Where an Arrow IPC stream is written: one buffer, used again for the next stream. Arrow's own queue keeps every piece and
 * then joins them in a new array, and so a flush would leave its own size in garbage.
 */
export class IpcSink extends AsyncByteQueue {
  #bytes = new Uint8Array(0);
  #used = 0;

  /** Copies a piece to the end of the stream. */
  override write(piece: Uint8Array): void {
    const needed = this.#used + piece.byteLength;
    if (needed > this.#bytes.byteLength) {
      // A quarter to spare: row groups are about as large as each other. The old bytes are freed at once: they do not wait for a collection.
      this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(needed + (needed >> 2)));
    }
    this.#bytes.set(piece, this.#used);
    this.#used = needed;
  }

  /** The stream written since the last call; its bytes stand until the next write. */
  take(): Uint8Array {
    const stream = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    return stream;
  }

  /** Frees the buffer; the next stream makes another. */
  release(): void {
    this.#bytes.buffer.transfer(0);
    this.#bytes = new Uint8Array(0);
    this.#used = 0;
  }
}
