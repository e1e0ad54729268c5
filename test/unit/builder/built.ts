/** Runs a builder against a platform's double, until nothing waits, in a folder of its own. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuilderOptions } from "../../../builder/options.ts";
import type { BuildEvent } from "../../../builder/report.ts";
import { runBuilder } from "../../../builder/run-builder.ts";
import type { WorkOrder } from "../../../lakehouse/builds/native/wire.ts";
import { type Value, valueAt } from "../../../lakehouse/engine/columns/value.ts";
import { bytesSource, openParquet } from "../../../lakehouse/engine/parquet/reader.ts";
import { quoteText } from "../../../schemas/sql-quoting.ts";
import { loadParquetWasm } from "../../../tools/build/parquet-wasm-node.ts";
import { type DoubleOptions, type PlatformDouble, startPlatformDouble } from "../../oracle/builder-platform.ts";
import { askDuckDb } from "../../oracle/duckdb.ts";
import { permit } from "../../oracle/permit.ts";

export interface Run {
  readonly platform: PlatformDouble;
  readonly events: readonly BuildEvent[];
  readonly notes: readonly string[];
  readonly dir: string;
  /** What the builder threw. */
  readonly error: unknown;
}

export interface RunOptions extends Partial<Omit<DoubleOptions, "orders">> {
  readonly builder?: Partial<BuilderOptions>;
  /** Called with the platform and what stops the builder, before the builder starts. */
  readonly with?: (platform: PlatformDouble, stop: AbortController) => void;
}

loadParquetWasm();

const folders: string[] = [];

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-builder-"));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export async function runOrders(orders: readonly WorkOrder[], options: RunOptions = {}): Promise<Run> {
  const { builder = {}, objects = new Map<string, Uint8Array>(), with: prepare = () => {}, ...rest } = options;
  const platform = await startPlatformDouble({ ...rest, orders, objects });
  const dir = builder.dir ?? newFolder();
  const [events, notes]: [BuildEvent[], string[]] = [[], []];
  const stop = new AbortController();
  prepare(platform, stop);
  let error: unknown;
  try {
    await runBuilder(
      {
        ...{ url: platform.url, key: platform.key, name: "test", memoryBytes: 500_000_000, threads: 2, dir },
        ...{ cacheBytes: 1e9, once: true, ...builder },
      },
      { note: (text) => void notes.push(text), idle() {}, progress() {}, built: (event) => void events.push(event) },
      stop.signal,
    );
  } catch (thrown) {
    error = thrown;
  }
  await platform[Symbol.asyncDispose]();
  return { platform, events, notes, dir, error };
}

/** Rows of a Parquet file as this project's reader has them. */
export async function rowsOf(bytes: Uint8Array | undefined): Promise<Record<string, Value>[]> {
  const file = await openParquet(bytesSource("output", bytes ?? new Uint8Array()));
  const rows: Record<string, Value>[] = [];
  for await (const batch of file.read(permit)) {
    for (let row = 0; row < batch.length; row++)
      rows.push(Object.fromEntries(file.columns.map((name, at) => [name, valueAt(batch.columns[at]!, row)])));
  }
  return rows;
}

/** The bytes of a Parquet file that DuckDB makes of a SELECT, as an order's input names it. */
export async function parquetOf(select: string): Promise<Uint8Array> {
  const path = join(newFolder(), "made.parquet");
  await askDuckDb((connection) => connection.run(`COPY (${select}) TO ${quoteText(path)} (FORMAT parquet)`));
  return readFileSync(path);
}

/** An input's file entry, and the object that it names. */
export function inputFile(file: string, bytes: Uint8Array, rows = 1): { file: string; bytes: number; rows: number } {
  return { file, bytes: bytes.length, rows };
}
