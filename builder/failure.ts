/** Why a build failed, for the partition that waits for it: the class, and a message that says what to do and quotes no value of a row. */
import type { FailRequest } from "../lakehouse/builds/native/wire.ts";
import { duckDbFault } from "./duckdb/error-text.ts";
import { DiskFaultError } from "./inputs/download.ts";
import type { BuilderOptions } from "./options.ts";

export type FailureClass = Exclude<FailRequest["class"], "released">;

export class BuildFailure extends Error {
  override readonly name = "BuildFailure";
  readonly class: FailureClass;
  /** Files on this machine may be damaged: the cache lets the order's go. */
  readonly damagedFiles: boolean;

  constructor(
    failureClass: FailureClass,
    message: string,
    options?: ErrorOptions & { readonly damagedFiles?: boolean },
  ) {
    super(message, options);
    this.class = failureClass;
    this.damagedFiles = options?.damagedFiles ?? false;
  }
}

/** Turns the error that ended a build into the failure that `run-builder.ts` reports to the platform. */
export function failureOf(
  error: unknown,
  options: Pick<BuilderOptions, "dir" | "memoryBytes" | "threads">,
): BuildFailure {
  if (error instanceof BuildFailure) return error;
  if (!(error instanceof Error)) return new BuildFailure("system", `The builder failed: ${String(error)}.`);
  if (error instanceof DiskFaultError || codeOf(error) === "ENOSPC") return diskFull(error);
  const fault = duckDbFault(error, options.dir);
  const cause = { cause: error };
  switch (fault?.kind) {
    case undefined:
      return new BuildFailure("system", `The builder failed: ${error.message.slice(0, 1_000)}`, cause);
    case "memory": {
      const { memoryBytes, threads } = options;
      const given = `${Math.round(memoryBytes / 1e6)} MB and ${threads} threads`;
      const help =
        "Start a builder with more (--memory), or with fewer --threads. What a model collects per group (lists, exact quantiles and distinct values) stands in memory whole.";
      return new BuildFailure(
        "system",
        `DuckDB needs more memory than this builder gives it (${given}), though it spills to disk. ${help}`,
        cause,
      );
    }
    case "disk":
      return diskFull(error);
    case "value":
      return new BuildFailure(
        "data",
        `The model's SQL failed on its rows: ${fault.text}. Which row is not said here, since it may be personal; try_cast and a WHERE keep such rows out, npm run query with the model's SQL shows them.`,
        cause,
      );
    case "sql":
      return new BuildFailure("data", `DuckDB refuses the model's SQL: ${fault.text}`, cause);
    case "file":
      return new BuildFailure("system", `A file of the builder cannot be read or written: ${fault.text}`, {
        ...cause,
        damagedFiles: true,
      });
    case "other":
      return new BuildFailure(
        "system",
        `DuckDB failed (${fault.text}). If it does so each time, take what is unusual in the model's SQL apart, or build with another number of --threads.`,
        cause,
      );
  }
}

function diskFull(cause: Error): BuildFailure {
  return new BuildFailure(
    "system",
    "The builder's disk is full. Give it a folder with more room (--dir), or a smaller --cache: inputs, what DuckDB spills, and the output stand there.",
    { cause },
  );
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}
