/**
 * A kept connection that sends requests and reads of their answers no more than a load needs: the sender takes its CPU from the
 * cores that are measured. Looked at before: node:http makes objects of every request, and takes several times as much;
 * undici waits a millisecond before it uses a connection again.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const END_OF_HEAD = "\r\n\r\n";
/** Larger ones are none of ours. */
const MAX_HEAD_BYTES = 16_384;

/** The other side closed the connection before it answered. */
class ClosedError extends Error {
  override readonly name = "ClosedError";
}

interface Waiting {
  answered(status: number): void;
  failed(error: Error): void;
}

export class Connection {
  readonly #host: string;
  readonly #port: number;
  readonly #head: string;
  #socket: Socket | undefined;
  #waiting: Waiting | undefined;
  #received: Buffer = Buffer.alloc(0);
  #status = 0;
  /** Bytes of the answer's body that are still to come; null: its head is. */
  #missing: number | null = null;

  /** To one path of a server, each request with these headers and a body. Connects at the first one. */
  constructor(url: string, headers: Readonly<Record<string, string>>) {
    const { hostname, port, pathname, search, host } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
    const lines = [
      `POST ${pathname}${search} HTTP/1.1`,
      `host: ${host}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    this.#head = lines.join("\r\n");
  }

  /** The status of the answer, once its body has come too. One request at a time. Throws Error when there is no answer, or none with a length. */
  async post(body: Uint8Array): Promise<number> {
    const isKept = this.#socket !== undefined;
    try {
      return await this.#send(body);
    } catch (error) {
      // A kept connection may be closed in the moment in which it is used again: then the request is sent once more.
      if (isKept && error instanceof ClosedError) return this.#send(body);
      throw error;
    }
  }

  close(): void {
    this.#socket?.destroy();
  }

  async #send(body: Uint8Array): Promise<number> {
    const socket = this.#socket ?? (await this.#connect());
    this.#socket = socket;
    const status = new Promise<number>((answered, failed) => {
      this.#waiting = { answered, failed };
    });
    socket.cork();
    socket.write(`${this.#head}\r\ncontent-length: ${body.byteLength}${END_OF_HEAD}`);
    socket.write(body);
    socket.uncork();
    return status;
  }

  async #connect(): Promise<Socket> {
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    await once(socket, "connect");
    this.#received = Buffer.alloc(0);
    this.#missing = null;
    socket.on("data", (bytes) => this.#read(bytes));
    // What it is follows as its close.
    socket.on("error", () => {});
    socket.on("close", () => this.#end(socket, new ClosedError("the connection was closed before an answer")));
    return socket;
  }

  #read(bytes: Buffer): void {
    let body = bytes;
    if (this.#missing === null) {
      const received = this.#received.byteLength === 0 ? bytes : Buffer.concat([this.#received, bytes]);
      const end = received.indexOf(END_OF_HEAD);
      if (end < 0) {
        this.#received = received;
        if (received.byteLength > MAX_HEAD_BYTES) this.#fail("the head of the answer has no end");
        return;
      }
      const head = received.latin1Slice(0, end);
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
      if (length === undefined) {
        this.#fail(`an answer does not say its length: ${head}`);
        return;
      }
      this.#status = Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
      this.#missing = Number(length);
      this.#received = Buffer.alloc(0);
      body = received.subarray(end + END_OF_HEAD.length);
    }
    this.#missing -= body.byteLength;
    if (this.#missing > 0) return;
    this.#missing = null;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.answered(this.#status);
  }

  #fail(why: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#end(socket, new Error(why));
    socket.destroy();
  }

  #end(socket: Socket, error: Error): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.failed(error);
  }
}
