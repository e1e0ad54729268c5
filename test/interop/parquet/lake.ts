/** A small lake as Parquet files: every type; and bronze, silver and gold of the shop, through the gateway, flushes and builds. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesSource, openParquet } from "../../../lakehouse/engine/parquet/reader.ts";
import { writeParquet } from "../../../lakehouse/engine/parquet/writer.ts";
import { simulate } from "../../../producers/simulators/plan.ts";
import { ALL_TOPICS } from "../../../producers/simulators/topics.ts";
import { loadParquetWasm } from "../../../tools/build/parquet-wasm-node.ts";
import { Lake } from "../../oracle/lake.ts";
import { permit } from "../../oracle/permit.ts";
import { createHarness, NOW } from "../../unit/gateway/harness.ts";
import { batchOf } from "../../unit/lakehouse/engine/columns/column-of.ts";
import { DuckDBOracle } from "../../unit/lakehouse/engine/parquet/duckdb.ts";
import { everyType, everyTypeRows } from "../../unit/lakehouse/engine/parquet/every-type.ts";
import { fieldJson, valueJson } from "./expected.ts";

const EVENTS = 1_500;
const REQUEST_EVENTS = 200;
const HOUR_MS = 3_600_000;

export interface ParquetFile {
  /** What is in it: "bronze orders". */
  readonly name: string;
  readonly path: string;
  /** A JSON file: `{fields, rows}` in the forms of `expected.ts`. */
  readonly expected: string;
}

/** Writes the files into `folder`, each with what it holds according to DuckDB, the judge of all our other tests too. */
export async function writeLake(folder: string): Promise<ParquetFile[]> {
  loadParquetWasm();
  await using duckdb = await DuckDBOracle.open();
  const files: ParquetFile[] = [];
  for (const [name, bytes] of [["every type", await everyTypeFile()] as const, ...(await shopFiles())]) {
    const path = join(folder, `${name.replaceAll(" ", "-")}.parquet`);
    const expected = `${path}.json`;
    const fields = (await openParquet(bytesSource(name, bytes))).schema(permit);
    const rows = await duckdb.query(bytes, "FROM read_parquet(FILE, hive_partitioning = false)");
    const json = rows.map((row) => fields.map((field) => valueJson(field.type, row[field.name] ?? null)));
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, bytes);
    writeFileSync(expected, JSON.stringify({ fields: fields.map(fieldJson), rows: json }));
    files.push({ name, path, expected });
  }
  return files;
}

/** Two row groups, with nulls on every level, the extremes of every type, and texts that bounds cut in the middle of a character. */
function everyTypeFile(): Promise<Uint8Array> {
  const long = ["é".repeat(63), "\u{10ffff}".repeat(40), "a".repeat(300)].map((text, i) => ({ id: 10 + i, text }));
  return writeParquet(permit, {
    fields: everyType,
    batches: [batchOf(everyType, [...everyTypeRows, ...long])],
    rowGroupRows: 4,
    dictionaryColumns: ["text", "items"],
    sortedBy: ["id"],
  });
}

/** The largest file of each table of each layer. */
async function shopFiles(): Promise<(readonly [name: string, bytes: Uint8Array])[]> {
  const lake = new Lake(NOW);
  for (const topic of ALL_TOPICS) {
    const gateway = createHarness();
    const window = { startMs: NOW - 11 * HOUR_MS, endMs: NOW - 1_000 };
    const sent = [...simulate({ seed: 5, topics: [topic], events: EVENTS, ...window, faultRate: 0.01 })];
    for (let at = 0; at < sent.length; at += REQUEST_EVENTS) {
      const lines = sent.slice(at, at + REQUEST_EVENTS).map(({ line }) => line);
      await gateway.post(`/v1/topics/${topic}/events`, lines.join("\n"), { "content-type": "application/x-ndjson" });
    }
    const messages = Map.groupBy(gateway.sent, (message) => message.topic);
    for (const [to, own] of messages)
      await lake.land(
        to,
        own.map(({ body }) => body),
      );
  }
  await lake.settle();
  const largest = new Map<string, Uint8Array>();
  for (const [key, { bytes }] of lake.bucket.objects) {
    if (!key.endsWith(".parquet")) continue;
    const [layer = "", table = ""] = key.split("/");
    const name = `${layer} ${table}`;
    if (bytes.length > (largest.get(name)?.length ?? 0)) largest.set(name, bytes);
  }
  return [...largest].sort();
}
