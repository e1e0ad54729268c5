/** A platform as a native builder sees it: the calls of lakehouse/builds/native/wire.ts over HTTP, with objects in memory, and faults on demand. */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import * as z from "zod";
import {
  BUILDER_PROTOCOL,
  type Builder,
  type CommitAnswer,
  type CommitRequest,
  commitRequestSchema,
  type FailRequest,
  failRequestSchema,
  joinRequestSchema,
  leaseRequestSchema,
  MAX_OUTPUT_FILES,
  type RenewRequest,
  renewRequestSchema,
  UPLOAD_PART_BYTES,
  type WorkOrder,
} from "../../lakehouse/builds/native/wire.ts";

/** A call as `intercept` sees it: `GET inputs`, `PUT outputs/0`, `POST lease`. */
export interface Call {
  readonly name: string;
  /** How many calls of this name there were before. */
  readonly nth: number;
  readonly headers: IncomingMessage["headers"];
}

export type Fault =
  /** Answered in place of the platform. */
  | {
      readonly status: number;
      readonly code?: string;
      readonly headers?: Record<string, string>;
      /** JSON, or `bytes` as they are. */
      readonly body?: unknown;
      readonly bytes?: Uint8Array;
    }
  /** The line is cut after so many bytes of the answer's body; 0: before any answer. What the call does is done if `done` says so. */
  | { readonly cutAfter: number; readonly done?: boolean };

export interface DoubleOptions {
  readonly orders: readonly WorkOrder[];
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly intercept?: (call: Call) => Fault | undefined;
  readonly commit?: (request: CommitRequest) => CommitAnswer;
  readonly key?: string;
  /** Hears of each call as it comes in. */
  readonly onCall?: (call: Call) => void;
}

export interface PlatformDouble extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly calls: readonly string[];
  readonly builders: readonly Builder[];
  readonly renewals: readonly RenewRequest[];
  readonly failures: readonly (FailRequest & { readonly run: string })[];
  readonly commits: readonly (CommitRequest & { readonly run: string })[];
  /** What stands under `run/n`. */
  readonly outputs: ReadonlyMap<string, Uint8Array>;
  /** Requests that no platform of this protocol would take. A test expects none. */
  readonly violations: readonly string[];
  /** Ends the lease of a run: all its calls are answered with LEASE_LOST from now on. */
  loseLease(run: string): void;
}

export async function startPlatformDouble(options: DoubleOptions): Promise<PlatformDouble> {
  const double = new Double(options);
  const server = createServer((request, response) => {
    double.answer(request, response).catch((error: unknown) => {
      double.violations.push(
        error instanceof Error ? `${request.method} ${request.url}: ${error.message}` : String(error),
      );
      if (response.headersSent) response.destroy();
      else json(response, 400, { code: "INVALID", detail: String(error) });
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no address");
  double.url = `http://127.0.0.1:${address.port}`;
  return Object.assign(double, {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  });
}

class Double {
  url = "";
  readonly key: string;
  readonly calls: string[] = [];
  readonly builders: Builder[] = [];
  readonly renewals: RenewRequest[] = [];
  readonly failures: (FailRequest & { run: string })[] = [];
  readonly commits: (CommitRequest & { run: string })[] = [];
  readonly outputs = new Map<string, Uint8Array>();
  readonly violations: string[] = [];
  readonly #options: DoubleOptions;
  readonly #waiting: WorkOrder[];
  readonly #held = new Map<string, string>();
  readonly #lost = new Set<string>();
  readonly #uploads = new Map<string, Map<number, Uint8Array>>();
  readonly #counts = new Map<string, number>();

  constructor(options: DoubleOptions) {
    this.#options = options;
    this.#waiting = [...options.orders];
    this.key = options.key ?? "key-of-a-builder";
  }

  loseLease(run: string): void {
    this.#lost.add(run);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const body = await bodyOf(request);
    const [, run = "", action = ""] = /^\/v1\/builds\/(?:runs\/)?([^/]+)(?:\/(.+))?$/.exec(url.pathname) ?? [];
    const name = `${request.method} ${action === "" ? run : action}`;
    const nth = this.#counts.get(name) ?? 0;
    this.#counts.set(name, nth + 1);
    this.calls.push(name);
    const call = { name, nth, headers: request.headers };
    this.#options.onCall?.(call);
    const fault = this.#options.intercept?.(call);
    if (fault !== undefined && "status" in fault) {
      if (fault.bytes !== undefined) return void response.writeHead(fault.status, fault.headers).end(fault.bytes);
      const problem = { code: fault.code ?? "FAULT", detail: `a fault of the test, ${fault.status}` };
      return json(response, fault.status, fault.body ?? problem, fault.headers);
    }
    if (fault !== undefined && fault.done !== true && fault.cutAfter === 0) return void response.destroy();
    const cut = fault?.cutAfter;
    if (request.headers.authorization !== `Bearer ${this.key}`)
      return json(response, 401, { code: "UNAUTHENTICATED", detail: "The key is not known." });
    if (name === "POST lease") return this.#lease(body, response, cut);
    if (this.#lost.has(run) || !this.#held.has(run))
      return json(response, 409, { code: "LEASE_LOST", detail: "The lease is over." });
    if (name === "GET inputs") return this.#input(run, url, request, response, cut);
    send(response, this.#act(run, request.method ?? "", action, url, body, request), cut);
  }

  #lease(body: Buffer, response: ServerResponse, cut: number | undefined): void {
    const { builder } = leaseRequestSchema.parse(JSON.parse(body.toString()));
    this.builders.push(builder);
    const [held] = [...this.#held].filter(([run, id]) => id === builder.id && !this.#lost.has(run));
    const work = held === undefined ? this.#waiting.shift() : this.#options.orders.find(({ run }) => run === held[0]);
    if (work !== undefined) this.#held.set(work.run, builder.id);
    send(response, work === undefined ? { work: null, poll_after_ms: 20 } : { work }, cut);
  }

  #act(run: string, method: string, action: string, url: URL, body: Buffer, request: IncomingMessage): unknown {
    const data: unknown = method === "POST" && body.length > 0 ? JSON.parse(body.toString()) : undefined;
    if (action === "renew") {
      this.renewals.push(renewRequestSchema.parse(data));
      return {};
    }
    if (action === "fail") {
      this.failures.push({ run, ...failRequestSchema.parse(data) });
      this.#held.delete(run);
      return {};
    }
    if (action === "commit") {
      const commit = commitRequestSchema.parse(data);
      for (const [n, { bytes }] of commit.files.entries())
        if (this.outputs.get(`${run}/${n}`)?.length !== bytes) throw new Error(`file ${n} is not there`);
      this.commits.push({ run, ...commit });
      const answer = this.#options.commit?.(commit) ?? { outcome: "published", message: null };
      this.#held.delete(run);
      return answer;
    }
    return this.#output(run, action, url, body, data, request);
  }

  #output(run: string, action: string, url: URL, body: Buffer, data: unknown, request: IncomingMessage): unknown {
    const [, digits = "", verb = ""] = /^outputs\/(\d+)(?:\/(open|join))?$/.exec(action) ?? [];
    const n = Number(digits);
    if (digits === "" || n >= MAX_OUTPUT_FILES) throw new Error(`no such call: ${action}`);
    const place = `${run}/${n}`;
    if (verb === "open") {
      const upload = randomUUID();
      this.#uploads.set(upload, new Map());
      return { upload };
    }
    if (verb === "join") {
      const { upload, parts } = joinRequestSchema.parse(data);
      const sent = parts.map(({ part, etag }) => {
        const bytes = this.#uploads.get(upload)?.get(part) ?? new Uint8Array();
        if (md5(bytes) !== etag) throw new Error(`part ${part} has another etag`);
        return bytes;
      });
      return this.#keep(place, Buffer.concat(sent));
    }
    if (body.length > UPLOAD_PART_BYTES) throw new Error("a body is too long");
    if (Number(request.headers["content-length"]) !== body.length) throw new Error("no Content-Length");
    const [upload, part] = [url.searchParams.get("upload"), z.coerce.number().parse(url.searchParams.get("part"))];
    if (upload === null) return this.#keep(place, body);
    this.#uploads.get(upload)?.set(part, body);
    return { bytes: body.length, etag: md5(body) };
  }

  #keep(place: string, bytes: Uint8Array): unknown {
    const before = this.outputs.get(place);
    if (before !== undefined && md5(before) !== md5(bytes)) throw new Error(`${place} stands with other bytes`);
    this.outputs.set(place, bytes);
    return { bytes: bytes.length, etag: md5(bytes) };
  }

  #input(run: string, url: URL, { headers }: IncomingMessage, response: ServerResponse, cut: number | undefined): void {
    const file = url.searchParams.get("file") ?? "";
    const order = this.#options.orders.find((each) => each.run === run);
    const named = order?.inputs.some(({ files }) => files.some((each) => each.file === file));
    const bytes = this.#options.objects.get(file);
    if (named !== true || bytes === undefined) throw new Error(`${file} is no input of ${run}`);
    const etag = `"${md5(bytes)}"`;
    if (headers["if-match"] !== undefined && headers["if-match"] !== etag)
      return void json(response, 412, { code: "CHANGED", detail: "another version" });
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "bytes=0-")?.[1]);
    const rest = bytes.subarray(from);
    response.writeHead(headers.range === undefined ? 200 : 206, { etag, "content-length": rest.length });
    if (cut === undefined) response.end(rest);
    else response.write(rest.subarray(0, cut), () => void response.destroy());
  }
}

function send(response: ServerResponse, body: unknown, cut: number | undefined): void {
  if (cut !== undefined) return void response.destroy();
  json(response, 200, body);
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** An order that reads nothing and gives one row, with what differs put over it. */
export function orderOf(
  over: Partial<Omit<WorkOrder, "output">> & { readonly output?: Partial<WorkOrder["output"]> },
): WorkOrder {
  const { output = {}, ...rest } = over;
  return {
    protocol: BUILDER_PROTOCOL,
    run: `run-${randomUUID()}`,
    renew_every_ms: 10_000,
    duckdb: "v1.5.6",
    table: "gold_things",
    date: "2026-03-18",
    sql: "SELECT 1 AS a",
    inputs: [],
    checks: [],
    ...rest,
    output: {
      ...{ columns: [{ name: "a", type: "INTEGER" }], partition: null, order: ["a"], row_group_rows: 8_192 },
      ...{ file_bytes: 64_000_000, metadata: {}, max_rows: null },
      ...output,
    },
  };
}
