/** A gateway on fakes that fail like the real things, and the way to read back what it sent. */
import { createHash, randomBytes } from "node:crypto";
import type { BufferedEvent, ReceiptStub, ShardAddress, Unflushed } from "../../../durable-objects/stubs.ts";
import { createGateway } from "../../../gateway/app.ts";
import { DEFAULT_LIMITS, type Environment, type GatewayLimits, type QueueBacklog } from "../../../gateway/deps.ts";
import { type MaskingSecrets, readMaskingKeys } from "../../../gateway/masking/keyring.ts";
import { type Deploy, thisDeploy } from "../../../lakehouse/builds/generations/record.ts";
import { codecById, type Envelope } from "../../../schemas/codecs.ts";
import { decodeMessage, type MessageHeader } from "../../../schemas/packed-block.ts";
import { createD1, type D1OnSqlite } from "../../oracle/d1-on-sqlite.ts";
import { MemoryBucket } from "../../oracle/memory-bucket.ts";
import { MemoryReceipts } from "../../oracle/memory-receipts.ts";

/** 2026-11-21T12:00:00Z */
export const NOW = 1_795_262_400_000;

export interface SentMessage {
  readonly topic: string;
  readonly bytes: number;
  readonly body: Uint8Array;
  readonly header: MessageHeader;
  readonly envelopes: readonly (Envelope & { readonly shard: number })[];
}

export type FindBuffered = (address: ShardAddress, column: string, text: string) => readonly BufferedEvent[];

export interface Harness {
  readonly db: D1OnSqlite;
  /** What waits in buffers. */
  buffer(find: FindBuffered): void;
  readonly sent: SentMessage[];
  /** What the gateway put into the bucket, by key. */
  readonly objects: Map<string, Uint8Array>;
  readonly bucket: MemoryBucket;
  readonly logs: Record<string, unknown>[];
  readonly clock: { now(): number; advance(ms: number): void };
  /** Sends, counted from 0 in the order they are begun, that fail. */
  failSends(...sends: number[]): void;
  failAllSends(): void;
  healSends(): void;
  failPuts(): void;
  failReceipts(): void;
  /** What the gateway routes, middleware included. */
  routes(): readonly { readonly method: string; readonly path: string }[];
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Without a key, unless the init has one. */
  bare(path: string, init: RequestInit): Promise<Response>;
  /** POSTs a body as JSON (text is taken as it is) with the given key. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

export interface HarnessOptions {
  readonly environment?: Environment;
  readonly limits?: Partial<GatewayLimits>;
  /** Requests of one key that the platform's counter lets pass; all if not given. */
  readonly requestsPerKey?: number;
  readonly secrets?: MaskingSecrets;
  readonly backlog?: () => QueueBacklog;
  readonly deploy?: Deploy;
  readonly replan?: () => Promise<unknown>;
  readonly unflushed?: (address: ShardAddress) => Unflushed;
}

export function createHarness(options: HarnessOptions = {}): Harness {
  const db = createD1();
  addKey(db, "local-dev-key", ["*:write", "*:read", "*:admin", "*:build"]);
  const sent: SentMessage[] = [];
  const objects = new Map<string, Uint8Array>();
  const bucket = new GatewayBucket(objects);
  const logs: Record<string, unknown>[] = [];
  let failing: (send: number) => boolean = () => false;
  let sends = 0;
  let receiptsFail = false;
  let now = NOW;
  let ids = 0;
  const clock = {
    now: () => now,
    advance(ms: number) {
      now += ms;
    },
  };
  let buffered: FindBuffered = () => [];
  const requests = new Map<string, number>();
  const topicQueue = (topic: string) => ({
    async send(body: Uint8Array) {
      const send = sends++;
      await Promise.resolve();
      if (failing(send)) throw new Error("queue unavailable");
      if (body.byteLength > 128_000) throw new Error("message exceeds 128 KB");
      // Like the real queue: the buffer is gone from the caller.
      sent.push(read(topic, structuredClone(body, { transfer: [body.buffer] })));
    },
    backlog: async () => options.backlog?.() ?? { messages: 0, oldestSent: null },
  });
  const receipts = new MemoryReceipts((topic, body) => topicQueue(topic).send(body), clock.now);
  const app = createGateway({
    topicQueue,
    topicBuffer: (address) => ({
      unflushed: async () => options.unflushed?.(address) ?? { events: 0, oldestAppended: null },
      flush: async () => options.unflushed?.(address) ?? { events: 0, oldestAppended: null },
    }),
    lake: bucket,
    db: db.d1,
    environment: options.environment ?? "local",
    clock,
    ids: { uuidv7: () => `019aa000-0000-7000-8000-${String(ids++).padStart(12, "0")}` },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    maskingKeys: () => readMaskingKeys(options.secrets ?? {}, (options.environment ?? "local") === "local"),
    randomBytes: (length) => randomBytes(length),
    requestLimiter: {
      async take(key) {
        const taken = (requests.get(key) ?? 0) + 1;
        requests.set(key, taken);
        return taken <= (options.requestsPerKey ?? Number.POSITIVE_INFINITY);
      },
    },
    receipt: (name) => (receiptsFail ? NO_RECEIPT : receipts.open(name)),
    findBuffered: async (address, column, text) => buffered(address, column, text),
    redrive: async (key) => {
      if (!bucket.objects.has(key)) return { kind: "not_found" };
      await bucket.delete(key);
      return { kind: "sent", messageId: "019aa000-0000-7000-8000-000000000000", events: 1 };
    },
    acknowledgedMessages: () => 7,
    deploy: () => options.deploy ?? thisDeploy("2026-11-01T00:00:00.000Z"),
    replan: async () => await options.replan?.(),
    log: (line) => logs.push(JSON.parse(line)),
  });
  const request = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", "Bearer local-dev-key");
    return await app.request(path, { ...init, headers });
  };
  return {
    db,
    buffer(find) {
      buffered = find;
    },
    sent,
    objects,
    bucket,
    logs,
    clock,
    failSends(...failed) {
      sends = 0;
      failing = (send) => failed.includes(send);
    },
    failAllSends() {
      failing = () => true;
    },
    healSends() {
      failing = () => false;
    },
    failPuts() {
      bucket.putsFail = true;
    },
    failReceipts() {
      receiptsFail = true;
    },
    routes: () => app.routes,
    request,
    bare: async (path, init) => await app.request(path, init),
    post(path, body, headers = {}) {
      const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
      return request(path, { method: "POST", body: text, headers: { "content-type": "application/json", ...headers } });
    },
  };
}

class GatewayBucket extends MemoryBucket {
  putsFail = false;
  readonly #put: Map<string, Uint8Array>;

  constructor(put: Map<string, Uint8Array>) {
    super();
    this.#put = put;
  }

  override async put(key: string, value: unknown, options?: R2PutOptions): Promise<R2Object> {
    if (this.putsFail) throw new Error("put: internal error");
    const stored = await super.put(key, value, options);
    this.#put.set(key, this.bytesOf(key));
    return stored;
  }
}

const NO_RECEIPT: ReceiptStub = {
  begin: () => Promise.reject(new Error("receipts: internal error")),
  submit: () => Promise.reject(new Error("receipts: internal error")),
};

/** A key for tests by a short name: a text of the form that keys have. A key itself stays as it is. */
export function keyNamed(name: string, environment: Environment = "local"): string {
  return name === "local-dev-key" || /^[sp]k_/.test(name) ? name : `sk_${environment}_${name.padEnd(43, "_")}`;
}

/** The header of a key that `addKey` made. */
export function bearer(name: string, environment?: Environment): string {
  return `Bearer ${keyNamed(name, environment)}`;
}

export function addKey(
  db: D1OnSqlite,
  key: string,
  scopes: readonly string[],
  expiresAt: string | null = null,
  environment?: Environment,
): void {
  const hash = createHash("sha256").update(keyNamed(key, environment)).digest("hex");
  db.sqlite.prepare("INSERT INTO producers VALUES (?, '2026-01-01T00:00:00Z')").run(`producer of ${key}`);
  db.sqlite
    .prepare(
      "INSERT INTO api_keys (key_hash, producer, scopes, created_at, expires_at) VALUES (?, ?, ?, '2026-01-01T00:00:00Z', ?)",
    )
    .run(hash, `producer of ${key}`, JSON.stringify(scopes), expiresAt);
}

function read(topic: string, bytes: Uint8Array): SentMessage {
  const { header, body } = decodeMessage(bytes);
  const codec = codecById(header.schema_id);
  if (codec === undefined) throw new Error(`no schema ${header.schema_id}`);
  const envelopes: (Envelope & { shard: number })[] = [];
  for (const slice of header.slices) {
    const buffer = Buffer.from(body.subarray(slice.offset, slice.offset + slice.length));
    let at = 0;
    let count = 0;
    while (at < buffer.length) {
      const decoded: { value: Envelope; offset: number } = codec.envelope.decode(buffer, at);
      envelopes.push({ ...decoded.value, shard: slice.shard });
      at = decoded.offset;
      count++;
    }
    if (count !== slice.count) throw new Error(`a slice of ${slice.count} has ${count} events`);
  }
  if (envelopes.length !== header.count) throw new Error(`a message of ${header.count} has ${envelopes.length} events`);
  return { topic, bytes: bytes.byteLength, body: bytes, header, envelopes };
}

/** A valid order; its amount is the sum of its items. */
export function order(id: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: id,
    order_id: "ord_abc123",
    customer_id: "cus_1",
    event_timestamp: "2026-11-21T11:59:00.000Z",
    status: "placed",
    currency: "EUR",
    amount: 25.5,
    channel: "web",
    items: [
      { sku: "a", name: "Apples", quantity: 2, unit_price: 10.25 },
      { sku: "b", name: "Bread", quantity: 1, unit_price: 5 },
    ],
    ...changes,
  };
}

/** A valid reading. */
export function reading(id: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: id,
    station_id: "DE-001",
    city: "Berlin",
    country: "DE",
    event_timestamp: "2026-11-21T11:59:00.000Z",
    temperature_c: 7.5,
    humidity_pct: 81,
    pressure_hpa: 1013.2,
    wind_speed_ms: 3.4,
    condition: "clouds",
    is_forecast: false,
    ...changes,
  };
}

/** The answer's body, as far as tests look into it. */
export interface AnswerBody {
  readonly request_id: string;
  readonly code?: string;
  readonly detail?: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly retry: number;
  readonly dry_run?: boolean;
  readonly results: readonly {
    readonly index: number;
    readonly event_id: string | null;
    readonly status: string;
    readonly code?: string;
    readonly errors: readonly {
      readonly error_type: string;
      readonly pointer: string;
      readonly rule: string | null;
      readonly detail: string;
      readonly contract_version: string;
    }[];
  }[];
}

export async function answer(response: Response): Promise<AnswerBody> {
  const body: AnswerBody = JSON.parse(await response.text());
  return body;
}

/** The dead letters that were sent, decoded. */
export function deadLetters(harness: Harness): Record<string, unknown>[] {
  return harness.sent
    .filter(({ topic }) => topic === "dead_letters")
    .flatMap(({ envelopes }) => envelopes.map(({ event }) => JSON.parse(JSON.stringify(event))));
}

/** The first error's type of each result, by index. */
export function errorTypes(body: AnswerBody): Record<number, string> {
  return Object.fromEntries(body.results.map(({ index, status, errors }) => [index, errors[0]?.error_type ?? status]));
}
