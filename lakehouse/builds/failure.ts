/** What the catalog is told of a build that failed. */
import type { Failure, Lease } from "../../sql/statements/leases.ts";
import { ModelTooLargeError, ModelValueError } from "../engine/ir/errors.ts";
import { CorruptParquetError } from "../engine/parquet/reader.ts";
import { QualityGateError } from "./gates/gate.ts";
import { messageOf } from "./outcome.ts";
import { backoffMs } from "./planning/machine.ts";
import { StepTooLargeError } from "./planning/splits.ts";
import { BronzeRetiredError } from "./silver/sealed.ts";

export function failureOf(error: unknown, { retryCount }: Pick<Lease, "retryCount">): Failure {
  const failureClass = isDataFailure(error) ? "data" : "system";
  return {
    failureClass,
    message: messageOf(error),
    backoffMs: failureClass === "system" ? backoffMs(retryCount) : 0,
    checks: error instanceof QualityGateError ? error.checks : undefined,
  };
}

/** Failures that the same input repeats. A corrupt object is one: it does not heal by itself. */
function isDataFailure(error: unknown): boolean {
  return (
    error instanceof QualityGateError ||
    error instanceof ModelTooLargeError ||
    error instanceof ModelValueError ||
    error instanceof BronzeRetiredError ||
    error instanceof StepTooLargeError ||
    error instanceof CorruptParquetError
  );
}
