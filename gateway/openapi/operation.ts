/**
 * What the OpenAPI document says of one call. An operation stands beside the route it describes and holds the very zod
 * schemas by which the route reads its parameters.
 */
import type * as z from "zod";
import type { Need } from "../access/need.ts";
import { PROBLEMS, type ProblemCode } from "../problem.ts";
import { REGISTRY_ERRORS, type RegistryErrorCode, statusOf } from "../registry/error.ts";

export interface Operation {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With parameters in braces: `/v1/topics/{topic}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** The right that the call needs; `access/guard.ts` enforces it. */
  readonly need: Need;
  /** `registry`: Basic is taken besides Bearer, and errors have the registry's form. */
  readonly form?: "registry";
  /** The names of the path's parameters, with what they are: any text, or one of a pattern. */
  readonly path_parameters?: Readonly<Record<string, string | PathParameter>>;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: {
    readonly description: string;
    readonly content: Readonly<Record<string, z.ZodType>>;
    /** True unless it says otherwise. */
    readonly required?: boolean;
  };
  readonly responses: readonly SuccessResponse[];
  /** Codes besides those that follow from `need`. */
  readonly refusals?: readonly Refusal[];
}

export interface PathParameter {
  readonly description: string;
  /** The very one by which the route reads it. */
  readonly pattern: RegExp;
}

/** An answer that is no error; 422 of events is one, since its body is verdicts. */
export interface SuccessResponse {
  readonly status: number;
  readonly description: string;
  readonly content: Readonly<Record<string, z.ZodType>>;
}

export interface Refusal {
  readonly status: number;
  /** A problem code, or a registry's error code. */
  readonly code: string;
  readonly description: string;
}

export function problems(...codes: readonly ProblemCode[]): Refusal[] {
  return codes.map((code) => ({ status: PROBLEMS[code].status, code, description: PROBLEMS[code].title }));
}

export function registryErrors(...codes: readonly RegistryErrorCode[]): Refusal[] {
  return codes.map((code) => ({
    status: statusOf(code),
    code: String(code),
    description: REGISTRY_ERRORS[code].title,
  }));
}

/** Every refusal of an operation, those that follow from its need first. */
export function refusalsOf(operation: Operation): readonly Refusal[] {
  const own = operation.refusals ?? [];
  if (operation.need.kind === "open") return own;
  if (operation.form === "registry") return [...registryErrors(401, 403, 429, 503), ...own];
  return [...problems("UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED", "KEYS_UNAVAILABLE"), ...own];
}
