/** One order, from its inputs to its commit. */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { CommitAnswer, WireMeasure, WorkOrder } from "../lakehouse/builds/native/wire.ts";
import { filesSource, inputView } from "./duckdb/input-views.ts";
import { measureChecks } from "./duckdb/measures.ts";
import { type OutputFile, writeOutput } from "./duckdb/output.ts";
import { openSession, type Session } from "./duckdb/session.ts";
import type { InputCache } from "./inputs/cache.ts";
import { fetchInputs } from "./inputs/fetch.ts";
import type { BuilderOptions } from "./options.ts";
import { uploadOutputs } from "./outputs/upload.ts";
import type { PlatformClient } from "./platform/client.ts";
import type { BuildPhase } from "./report.ts";

export interface BuildWork {
  readonly options: BuilderOptions;
  readonly client: PlatformClient;
  readonly cache: InputCache;
  /** Aborted with the reason for which the build ends before its time. */
  readonly signal: AbortSignal;
  /** Is told each phase as it begins, and how far it is. */
  readonly onProgress: (phase: BuildPhase, done: number | null) => void;
  /** Is told figures as they are known: a build that fails has some of them. */
  readonly onFigures: (figures: Partial<BuildFigures>) => void;
}

export interface BuildFigures {
  readonly bytes_fetched: number;
  readonly rows_out: number;
  readonly files_out: number;
  readonly bytes_out: number;
}

/** How often DuckDB is asked how far it is. */
const LOOK_EVERY_MS = 250;

/** Does the order's work up to the platform's answer to the commit. Throws what any part of it throws, and the signal's reason. */
export async function build(work: BuildWork, order: WorkOrder): Promise<CommitAnswer> {
  const { options, client, cache, signal, onProgress, onFigures } = work;
  const files = order.inputs.flatMap((input) => input.files);
  onProgress("fetch", files.length === 0 ? 1 : 0);
  const bytes_fetched = await fetchInputs({
    cache,
    files,
    readerOf: (file) => (from, etag, each) => client.input(order.run, file, from, etag, each),
    signal,
    onProgress: (done) => onProgress("fetch", done),
  });
  onFigures({ bytes_fetched });

  // A folder of its own: what an earlier build left there has other rows.
  const folder = await mkdtemp(join(options.dir, "build-"));
  try {
    const { outputs, measures } = await runSql(work, order, folder);
    onProgress("upload", 0);
    await uploadOutputs({
      client,
      run: order.run,
      files: outputs,
      signal,
      onProgress: (done) => onProgress("upload", done),
    });
    const committed = outputs.map(({ bytes, rows }) => ({ bytes, rows }));
    return await client.commit(order.run, { files: committed, measures: [...measures] }, signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Made {
  readonly outputs: readonly OutputFile[];
  readonly measures: readonly WireMeasure[];
}

async function runSql(
  { options, cache, signal, onProgress, onFigures }: BuildWork,
  order: WorkOrder,
  folder: string,
): Promise<Made> {
  onProgress("run", null);
  const [spillDir, outputDir] = [join(folder, "spill"), join(folder, "out")];
  await mkdir(spillDir);
  await mkdir(outputDir);
  const { memoryBytes, threads } = options;
  const session = await openSession({ memoryBytes, threads, spillDir, allowedDirs: [cache.folder, outputDir], signal });
  try {
    await createInputViews(session, order, cache);
    const outputs = await watched(
      session,
      (done) => onProgress("run", done),
      () => writeOutput(session, order, join(outputDir, "files")),
    );
    onFigures({
      rows_out: outputs.reduce((sum, { rows }) => sum + rows, 0),
      files_out: outputs.length,
      bytes_out: outputs.reduce((sum, { bytes }) => sum + bytes, 0),
    });
    onProgress("check", 0);
    return { outputs, measures: await measureChecks(session, order, outputs, (done) => onProgress("check", done)) };
  } finally {
    session.close();
  }
}

async function createInputViews(session: Session, order: WorkOrder, cache: InputCache): Promise<void> {
  for (const input of order.inputs) {
    const paths = input.files.map(({ file }) => cache.pathOf(file));
    const described = paths.length === 0 ? [] : await session.run(`DESCRIBE SELECT * FROM ${filesSource(paths)}`);
    await session.run(inputView(input, paths, new Set(described.map((row) => String(row["column_name"])))));
  }
}

async function watched<T>(
  session: Session,
  onProgress: (done: number | null) => void,
  run: () => Promise<T>,
): Promise<T> {
  const look = setInterval(() => onProgress(session.progress()), LOOK_EVERY_MS);
  try {
    return await run();
  } finally {
    clearInterval(look);
  }
}
