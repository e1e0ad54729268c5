/** A native builder by script: it does each step of a build when it is told to, over any gateway, with DuckDB as the builder has it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGateway } from "../../gateway/app.ts";
import { DEFAULT_LIMITS } from "../../gateway/deps.ts";
import { thisDeploy } from "../../lakehouse/builds/generations/record.ts";
import {
  BUILDER_PROTOCOL,
  type CommitAnswer,
  commitAnswerSchema,
  type FailRequest,
  type LeaseAnswer,
  leaseAnswerSchema,
  type WireMeasure,
  type WorkOrder,
} from "../../lakehouse/builds/native/wire.ts";
import { DUCKDB_VERSION } from "../../lakehouse/tables/compiled/models.generated.ts";
import { quoteName, quoteText } from "../../schemas/sql-quoting.ts";
import { askDuckDb } from "./duckdb.ts";
import type { Lake } from "./lake.ts";

/** Sends a request with the builder's key. */
export type Send = (path: string, init?: RequestInit) => Promise<Response>;

/** What a build gave: the bytes of each file, and what is said of them. */
export interface Built {
  readonly files: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly rows: number }[];
  readonly measures: readonly WireMeasure[];
}

export class NativeBuilder {
  readonly #send: Send;
  readonly id: string;

  constructor(send: Send, id: string = crypto.randomUUID()) {
    this.#send = send;
    this.id = id;
  }

  post(path: string, body: unknown): Promise<Response> {
    return this.#send(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  }

  askedFor(): object {
    const builder = { id: this.id, name: "test", duckdb: DUCKDB_VERSION, memory_bytes: 2e9, threads: 2 };
    return { protocol: BUILDER_PROTOCOL, builder };
  }

  async lease(): Promise<LeaseAnswer> {
    const response = await this.post("/v1/builds/lease", this.askedFor());
    if (response.status !== 200)
      throw new Error(`a lease was answered with ${response.status} ${await response.text()}`);
    return leaseAnswerSchema.parse(await response.json());
  }

  /** The next order. Throws where there is none. */
  async order(): Promise<WorkOrder> {
    const { work } = await this.lease();
    if (work === null) throw new Error("nothing waits for a native builder");
    return work;
  }

  async fetchInput(order: WorkOrder, file: string): Promise<Uint8Array> {
    const response = await this.#send(`/v1/builds/runs/${order.run}/inputs?file=${encodeURIComponent(file)}`);
    if (response.status !== 200)
      throw new Error(`${file} was answered with ${response.status} ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Reads the inputs, and runs the order's SQL and checks. `rows`: SQL over `result` in the place of all its rows. */
  async build(order: WorkOrder, rows = "SELECT * FROM result"): Promise<Built> {
    const folder = mkdtempSync(join(tmpdir(), "sluice-builder-"));
    try {
      const paths = new Map<string, string[]>();
      for (const { table, files } of order.inputs) {
        mkdirSync(join(folder, table), { recursive: true });
        const own = files.map(async ({ file }, i) => {
          const path = join(folder, table, `${i}.parquet`);
          writeFileSync(path, await this.fetchInput(order, file));
          return path;
        });
        paths.set(table, await Promise.all(own));
      }
      return await askDuckDb(async (connection) => {
        for (const { table, columns } of order.inputs)
          await connection.run(viewOf(table, columns, paths.get(table) ?? []));
        const { columns, partition, order: by, row_group_rows, metadata } = order.output;
        const casts = columns.map(({ name, type }) => `CAST(${quoteName(name)} AS ${type}) AS ${quoteName(name)}`);
        const own =
          partition === null ? "" : ` WHERE ${quoteName(partition.column)} = DATE ${quoteText(partition.date)}`;
        await connection.run(`CREATE TABLE result AS SELECT ${casts.join(", ")} FROM (${order.sql}\n)${own}`);
        const sorted =
          by.length === 0 ? "" : ` ORDER BY ${by.map((name) => `${quoteName(name)} NULLS LAST`).join(", ")}`;
        const path = join(folder, "0.parquet");
        const pairs = Object.entries(metadata).map(([key, value]) => `${quoteText(key)}: ${quoteText(value)}`);
        const options = `FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1, ROW_GROUP_SIZE ${row_group_rows}, KV_METADATA {${pairs.join(", ")}}`;
        await connection.run(`COPY (${rows}${sorted}) TO ${quoteText(path)} (${options})`);
        await connection.run(`CREATE VIEW ${quoteName(order.table)} AS FROM read_parquet(${quoteText(path)})`);
        const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${quoteName(order.table)}`);
        const measures: WireMeasure[] = [];
        for (const { id, kind, sql } of order.checks) {
          const values = (await connection.runAndReadAll(sql)).getRows()[0] ?? [];
          const [first = null, second = null] = values.map((value) => (value === null ? null : Number(value)));
          measures.push(kind === "query" ? { id, value: first } : { id, rows: first ?? 0, of: second ?? 0 });
        }
        const bytes = Uint8Array.from(readFileSync(path));
        return { files: [{ bytes, rows: Number(counted.getRows()[0]?.[0]) }], measures };
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  put(order: WorkOrder, n: number | string, bytes: Uint8Array<ArrayBuffer>, query = ""): Promise<Response> {
    return this.#send(`/v1/builds/runs/${order.run}/outputs/${n}${query}`, {
      method: "PUT",
      body: bytes,
      headers: { "content-length": String(bytes.byteLength) },
    });
  }

  commitBody({ files, measures }: Built): object {
    return { files: files.map(({ bytes, rows }) => ({ bytes: bytes.byteLength, rows })), measures };
  }

  async upload(order: WorkOrder, { files }: Built): Promise<void> {
    for (const [n, { bytes }] of files.entries()) {
      const response = await this.put(order, n, bytes);
      if (response.status !== 200)
        throw new Error(`output ${n} was answered with ${response.status} ${await response.text()}`);
    }
  }

  async commit(order: WorkOrder, built: Built): Promise<CommitAnswer> {
    const response = await this.post(`/v1/builds/runs/${order.run}/commit`, this.commitBody(built));
    if (response.status !== 200)
      throw new Error(`a commit was answered with ${response.status} ${await response.text()}`);
    return commitAnswerSchema.parse(await response.json());
  }

  fail(order: WorkOrder, failure: FailRequest): Promise<Response> {
    return this.post(`/v1/builds/runs/${order.run}/fail`, failure);
  }

  renew(order: WorkOrder): Promise<Response> {
    return this.post(`/v1/builds/runs/${order.run}/renew`, { phase: "run", done: 0.5 });
  }

  /** All of it. */
  async all(): Promise<CommitAnswer> {
    const order = await this.order();
    const built = await this.build(order);
    await this.upload(order, built);
    return await this.commit(order, built);
  }
}

function viewOf(table: string, columns: WorkOrder["inputs"][number]["columns"], paths: readonly string[]): string {
  const nothing = columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoteName(name)}`).join(", ");
  const own = columns.map(({ name, type, missing }) => {
    const value = `CAST(${quoteName(name)} AS ${type})`;
    return `${missing === undefined ? value : `coalesce(${value}, CAST(${missing} AS ${type}))`} AS ${quoteName(name)}`;
  });
  const files = paths.map(quoteText).join(", ");
  const read =
    paths.length === 0 ? "" : ` UNION ALL BY NAME SELECT * FROM read_parquet([${files}], union_by_name = true)`;
  return `CREATE VIEW ${quoteName(table)} AS SELECT ${own.join(", ")} FROM (SELECT ${nothing} WHERE false${read})`;
}

const KEY = "local-dev-key";

/** A gateway over a lake in memory, as a builder of a key with `*:build` calls it. `key`: another one, for it is made as well. */
export async function nativeGateway(lake: Lake): Promise<(key?: string) => Send> {
  const unused = () => {
    throw new Error("no builder asks for it");
  };
  let ids = 0;
  const app = createGateway({
    topicQueue: unused,
    topicBuffer: unused,
    lake: lake.bucket,
    db: lake.d1.binding,
    environment: "local",
    clock: { now: () => lake.now },
    ids: { uuidv7: () => `019aa000-0000-7000-8000-${String(++ids).padStart(12, "0")}` },
    limits: DEFAULT_LIMITS,
    maskingKeys: unused,
    randomBytes: (length) => new Uint8Array(length),
    requestLimiter: { take: async () => true },
    receipt: unused,
    findBuffered: unused,
    redrive: unused,
    acknowledgedMessages: () => 0,
    deploy: () => thisDeploy(lake.releasedAt ?? "2026-11-01T00:00:00.000Z"),
    replan: async () => void (await lake.plan().catch(() => [])),
    log: () => {},
  });
  return (key = KEY) =>
    async (path, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${key}`);
      return await app.request(path, { ...init, headers });
    };
}
