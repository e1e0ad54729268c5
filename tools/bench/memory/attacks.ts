/** Requests that cost an isolate the most memory for what they cost their sender. */
import { request } from "node:http";
import { gzipSync } from "node:zlib";
import { orderLines } from "../order-lines.ts";

export interface Attack {
  readonly name: string;
  /** Sends it and waits for all answers; gives their statuses, 0 for a connection that was closed. */
  send(gateway: AttackedGateway): Promise<readonly number[]>;
}

export interface AttackedGateway {
  /** Of the topic orders. */
  readonly url: string;
  readonly key: string;
}

interface Body {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const MB = 1_048_576;
const JSON_TYPE = "application/json";
const LINES_TYPE = "application/x-ndjson";
const GZIP = { "content-encoding": "gzip" };
/** The largest body that is taken in this format. */
export interface LargestBodies {
  readonly lines: number;
  readonly document: number;
  readonly idempotent: number;
}

export function attacks({ lines: lineBytes, document: documentBytes, idempotent }: LargestBodies): Attack[] {
  const lines = orders(lineBytes);
  const document = orders(documentBytes);
  const array: Body = { type: JSON_TYPE, bytes: bytesOf(`[${document.join(",")}]`) };
  const ndjson: Body = { type: LINES_TYPE, bytes: bytesOf(lines.join("\n")) };
  const refused: Body = { type: LINES_TYPE, bytes: bytesOf(lines.map(refusedLine).join("\n")) };
  const halfRefused: Body = { type: LINES_TYPE, bytes: refused.bytes.subarray(0, lineBytes / 3) };
  const kept = fill(lines, idempotent);
  const once: Body = { type: LINES_TYPE, bytes: bytesOf(kept.join("\n")) };
  const events: Body = {
    type: "application/cloudevents-batch+json",
    bytes: bytesOf(`[${fill(document.map(cloudEvent), documentBytes).join(",")}]`),
  };
  const deep = "[".repeat(documentBytes / 2) + "]".repeat(documentBytes / 2);
  const [first = ""] = lines;
  const wide = withMember(first, keys(20 * MB));
  const empties = withMember(first, `"zz":[${"{},".repeat((documentBytes - 1_000) / 3)}{}]`);
  const digits = withMember(first, `"zz":${"7".repeat(8_000_000)}`);
  return [
    alone("one array of valid orders", array),
    alone("one body of valid lines", ndjson),
    alone("one body of refused lines", refused),
    alone("refused lines, a third of the limit", halfRefused),
    alone("one batch of CloudEvents", events),
    alone("valid lines with every result", ndjson, "?results=all"),
    alone("valid lines with an Idempotency-Key", { ...once, headers: { "idempotency-key": "bench-1" } }),
    alone("refused lines with an Idempotency-Key", {
      ...once,
      bytes: bytesOf(kept.map(refusedLine).join("\n")),
      headers: { "idempotency-key": "bench-2" },
    }),
    alone("nested arrays, gzip", { type: JSON_TYPE, bytes: gzipSync(deep), headers: GZIP }),
    alone("4 MB of brackets", { type: JSON_TYPE, bytes: bytesOf("[".repeat(4 * MB)) }),
    alone("a million unknown keys", { type: JSON_TYPE, bytes: bytesOf(wide) }),
    alone("a million unknown keys in a line", { type: LINES_TYPE, bytes: bytesOf(wide) }),
    alone("a million empty objects, gzip", { type: JSON_TYPE, bytes: gzipSync(empties), headers: GZIP }),
    alone("a million empty objects in CloudEvents data", {
      type: "application/cloudevents+json",
      bytes: gzipSync(cloudEvent(empties)),
      headers: GZIP,
    }),
    alone("a number of 8,000,000 digits", { type: LINES_TYPE, bytes: bytesOf(digits) }),
    alone("lines of one digit", { type: LINES_TYPE, bytes: bytesOf("1\n".repeat(10 * MB)) }),
    together("20 arrays of valid orders at once", 20, array),
    together("20 bodies of valid lines at once", 20, ndjson),
    together("20 bodies of refused lines at once", 20, refused),
    together("20 compressed arrays at once", 20, { ...array, bytes: gzipSync(array.bytes), headers: GZIP }),
    together("20 batches of CloudEvents at once", 20, events),
    {
      name: "50 bodies that never end",
      send: (gateway) => Promise.all(Array.from({ length: 50 }, () => endless(gateway, array))),
    },
  ];
}

function alone(name: string, body: Body, query = ""): Attack {
  return { name, send: async (gateway) => [await post(gateway, body, query)] };
}

function together(name: string, count: number, body: Body): Attack {
  return { name, send: (gateway) => Promise.all(Array.from({ length: count }, () => post(gateway, body, ""))) };
}

function post({ url, key }: AttackedGateway, { type, bytes, headers }: Body, query: string): Promise<number> {
  return new Promise((resolve) => {
    const sending = request(`${url}${query}`, {
      method: "POST",
      agent: false,
      headers: { authorization: `Bearer ${key}`, "content-type": type, "content-length": bytes.length, ...headers },
    });
    sending.on("response", (response) => {
      response.resume();
      response.on("close", () => resolve(response.statusCode ?? 0));
    });
    sending.on("error", () => resolve(0));
    sending.end(bytes);
  });
}

/** How long a body that never ends is held open, unless it is answered before. */
const ENDLESS_MS = 6_000;

/** Sends all but the end of a body, in chunks. */
function endless({ url, key }: AttackedGateway, { type, bytes }: Body): Promise<number> {
  return new Promise((resolve) => {
    const sending = request(url, {
      method: "POST",
      agent: false,
      headers: { authorization: `Bearer ${key}`, "content-type": type },
    });
    const giveUp = setTimeout(() => sending.destroy(), ENDLESS_MS);
    const done = (status: number) => {
      clearTimeout(giveUp);
      resolve(status);
    };
    sending.on("response", ({ statusCode }) => {
      sending.destroy();
      done(statusCode ?? 0);
    });
    sending.on("error", () => done(0));
    sending.write(bytes.subarray(0, -1));
  });
}

/** Valid orders, so many that they and a byte between two of them fill this. */
function orders(bytes: number): string[] {
  return fill(orderLines(5, Math.min(49_000, Math.ceil(bytes / 300)), Date.now(), 3_600_000), bytes);
}

function fill(texts: readonly string[], bytes: number): string[] {
  let room = bytes - 2;
  return texts.filter((text) => {
    room -= Buffer.byteLength(text) + 1;
    return room >= 0;
  });
}

function refusedLine(line: string): string {
  return line.replace(/"currency":"./, '"currency":"_');
}

function cloudEvent(data: string, index = 0): string {
  return `{"specversion":"1.0","id":"ce-${index}","source":"/bench","type":"order","data":${data}}`;
}

/** An event with one member more. */
function withMember(event: string, member: string): string {
  return `${event.slice(0, -1)},${member}}`;
}

function keys(bytes: number): string {
  const members: string[] = [];
  for (let index = 0, length = 0; length < bytes - 2_000; index++) {
    const member = `"k${index}":1`;
    members.push(member);
    length += member.length + 1;
  }
  return members.join(",");
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
