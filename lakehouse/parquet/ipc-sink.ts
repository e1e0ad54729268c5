import { AsyncByteQueue } from "apache-arrow";

/**
 * Where an Arrow IPC stream is written: its pieces are joined once, when their size is known, in a buffer that the next stream uses
 * again. Arrow's own queue joins them in a new array each time, and so a flush would leave its own size in garbage.
 */
export class IpcSink extends AsyncByteQueue {
  #pieces: Uint8Array[] = [];
  #size = 0;
  #bytes = new Uint8Array(0);

  /** Adds a piece to the end of the stream. It must not change before `take`. */
  override write(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#size += piece.byteLength;
  }

  /** The stream written since the last call; its bytes stand until the next call. */
  take(): Uint8Array {
    const size = this.#size;
    // A little to spare: row groups are about as large as each other.
    if (size > this.#bytes.byteLength) this.#bytes = new Uint8Array(size + (size >> 4));
    let at = 0;
    for (const piece of this.#pieces) {
      this.#bytes.set(piece, at);
      at += piece.byteLength;
    }
    this.#pieces = [];
    this.#size = 0;
    return this.#bytes.subarray(0, size);
  }
}
