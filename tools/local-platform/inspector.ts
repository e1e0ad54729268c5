/** The lake and the catalog of a running platform for tools on the same machine: R2 objects, and reading queries on D1. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { refusalOfWrite } from "./read-only-sql.ts";

/** What is served. Results are plain data. */
export interface Inspected {
  /** An object, or the inclusive range of its bytes; null when there is none. `size` is the whole object's. */
  read(key: string, range: ByteRange | undefined): Promise<InspectedObject | null>;
  list(prefix: string, cursor: string | undefined): Promise<InspectedList>;
  query(sql: string, params: readonly (string | number | null)[]): Promise<readonly Record<string, unknown>[]>;
}

export type ByteRange = { readonly offset: number; readonly length?: number } | { readonly suffix: number };

export interface InspectedObject {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly size: number;
  readonly etag: string;
}

export interface InspectedList {
  readonly objects: readonly { readonly key: string; readonly size: number; readonly etag: string }[];
  /** Null on the last page. */
  readonly cursor: string | null;
}

export interface Inspector {
  readonly url: string;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 1_000_000;

/**
 * Serves on 127.0.0.1: `GET /lake/<key>` (with Range), `GET /lake?prefix=&cursor=`, `POST /d1` with `{sql, params}` answered
 * `{results}`. Errors are `{error}`. Web pages are refused, whatever their origin. Rejects when the port is taken.
 */
export async function startInspector(inspected: Inspected, port: number): Promise<Inspector> {
  const server = createServer((request, response) => {
    answer(inspected, request, response).catch((error: unknown) => {
      if (!response.headersSent)
        sendJson(response, 500, { error: error instanceof Error ? error.message : String(error) });
      else response.destroy();
    });
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", listening);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the inspector has no address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

async function answer(inspected: Inspected, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (isFromPage(request.headers)) return sendJson(response, 403, { error: "local programs only, no web pages" });
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const { method } = request;
  if (url.pathname === "/d1" && method === "POST") return answerQuery(inspected, request, response);
  if (method !== "GET") return sendJson(response, 405, { error: "GET /lake, GET /lake/<key> and POST /d1 are there" });
  if (url.pathname === "/lake") {
    const cursor = url.searchParams.get("cursor") ?? undefined;
    return sendJson(response, 200, await inspected.list(url.searchParams.get("prefix") ?? "", cursor));
  }
  if (!url.pathname.startsWith("/lake/")) return sendJson(response, 404, { error: "no such path" });
  const key = decodeURIComponent(url.pathname.slice("/lake/".length));
  return answerObject(inspected, key, request.headers.range, response);
}

/**
 * Whether a web page's browser may have sent this. A page can bind a name of its own to this machine (DNS rebinding), which shows in
 * the Host; it can send from another origin, which shows in Origin, or in Sec-Fetch-Site where a browser sends no Origin, as for images.
 */
function isFromPage(headers: IncomingMessage["headers"]): boolean {
  const host = headers.host?.replace(/:\d+$/, "");
  if (host !== "127.0.0.1" && host !== "localhost") return true;
  const site = headers["sec-fetch-site"];
  return headers.origin !== undefined || (site !== undefined && site !== "none");
}

async function answerObject(
  inspected: Inspected,
  key: string,
  rangeHeader: string | undefined,
  response: ServerResponse,
): Promise<void> {
  const range = rangeHeader === undefined ? undefined : parseRange(rangeHeader);
  if (range === "malformed") return sendJson(response, 416, { error: `cannot read the range ${rangeHeader}` });
  const object = await inspected.read(key, range);
  if (object === null) return sendJson(response, 404, { error: `no object ${key}` });
  const { bytes, offset, size, etag } = object;
  if (range !== undefined && bytes.length === 0) {
    return sendJson(response, 416, { error: "nothing in this range" }, { "content-range": `bytes */${size}` });
  }
  const partial = { "content-range": `bytes ${offset}-${offset + bytes.length - 1}/${size}` };
  response.writeHead(range === undefined ? 200 : 206, {
    "content-type": "application/octet-stream",
    "content-length": bytes.length,
    "accept-ranges": "bytes",
    etag: `"${etag}"`,
    ...(range === undefined ? {} : partial),
  });
  response.end(bytes);
}

async function answerQuery(inspected: Inspected, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const query = parseQuery(await readBody(request));
  if (query === undefined)
    return sendJson(response, 400, { error: "the body must be {sql, params?: [text | number | null]}" });
  const refusal = refusalOfWrite(query.sql);
  if (refusal !== undefined) return sendJson(response, 403, { error: refusal });
  try {
    sendJson(response, 200, { results: await inspected.query(query.sql, query.params) });
  } catch (error) {
    // The database says it best: no such table, syntax error near ...
    sendJson(response, 422, { error: error instanceof Error ? error.message : String(error) });
  }
}

/** One range of RFC 9110, section 14.1.2; several at once are not served. */
export function parseRange(header: string): ByteRange | "malformed" {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  const [first, last] = [match?.[1] ?? "", match?.[2] ?? ""];
  if (first === "") return last === "" || Number(last) === 0 ? "malformed" : { suffix: Number(last) };
  if (last === "") return { offset: Number(first) };
  const length = Number(last) - Number(first) + 1;
  return length > 0 ? { offset: Number(first), length } : "malformed";
}

function parseQuery(body: string): { sql: string; params: (string | number | null)[] } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("sql" in value) || typeof value.sql !== "string")
    return undefined;
  const params: unknown = "params" in value ? value.params : [];
  if (!Array.isArray(params)) return undefined;
  const scalars = params.filter(
    (param): param is string | number | null =>
      param === null || typeof param === "string" || typeof param === "number",
  );
  return scalars.length === params.length ? { sql: value.sql, params: scalars } : undefined;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) continue;
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return "";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
