/**
 * What the OpenAPI document says of one call. An operation stands beside the route it describes and holds the very zod
 * schemas by which the route reads its parameters.
 */
import type * as z from "zod";
import { PROBLEMS, type ProblemCode } from "../problem.ts";
import { REGISTRY_ERRORS, type RegistryErrorCode, statusOf } from "../registry/error.ts";

export interface Operation {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With parameters in braces: `/v1/topics/{topic}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** `key`: Bearer. `registry`: Bearer or Basic, and errors in the registry's form. */
  readonly access: "open" | "key" | "registry";
  /** The names of the path's parameters, with what they are. */
  readonly path_parameters?: Readonly<Record<string, string>>;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: {
    readonly description: string;
    readonly content: Readonly<Record<string, z.ZodType>>;
    /** True unless it says otherwise. */
    readonly required?: boolean;
  };
  readonly responses: readonly SuccessResponse[];
  /** Codes besides those that follow from `access`. */
  readonly refusals?: readonly Refusal[];
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

/** Every refusal of an operation, those of its access first. */
export function refusalsOf(operation: Operation): readonly Refusal[] {
  const own = operation.refusals ?? [];
  switch (operation.access) {
    case "open":
      return own;
    case "key":
      return [...problems("UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED", "KEYS_UNAVAILABLE"), ...own];
    case "registry":
      return [...registryErrors(401, 403, 429, 503), ...own];
  }
}
