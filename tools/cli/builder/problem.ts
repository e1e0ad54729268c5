import { OtherVersionError } from "../../../builder/platform/protocol.ts";
import { RefusedError, UnreachableError } from "../../../builder/platform/refusal.ts";
import { CommandProblem } from "../../command-problem.ts";

/** Errors that end a builder and that its user can mend, as such; others as they are. */
export function asProblem(error: unknown): unknown {
  if (error instanceof OtherVersionError)
    return new CommandProblem("PLATFORM_REFUSED", error.message, { cause: error });
  if (error instanceof UnreachableError) {
    const remedy = "Is it there, and does --url name it?";
    return new CommandProblem("PLATFORM_REFUSED", `${error.message}. ${remedy}`, { cause: error });
  }
  if (!(error instanceof RefusedError)) return error;
  const isKey = error.status === 401 || error.status === 403;
  const remedy = isKey ? " A builder needs a key with the scope *:build (sluice keys create --scope '*:build')." : "";
  return new CommandProblem("PLATFORM_REFUSED", `The platform refused this builder: ${error.message}${remedy}`, {
    cause: error,
  });
}
