/** Errors as the Confluent Schema Registry answers them: `{error_code, message}`, the first three digits are the status. */

/** Codes and meanings of the Confluent Schema Registry API; `cause` and `remedy` go to docs/errors.md. */
export const REGISTRY_ERRORS = {
  400: {
    title: "Bad request",
    cause: "A parameter of the query is not what /openapi.json says of it.",
    remedy: "`message` names the parameter and what it may be.",
  },
  401: {
    title: "Unauthorized",
    cause: "The request has no valid key.",
    remedy: "Send Authorization: Bearer KEY, or HTTP Basic with the key as the password.",
  },
  403: { title: "Forbidden", cause: "The key does not allow this.", remedy: "Use a key that does." },
  404: { title: "Not found", cause: "The registry has no such call.", remedy: "See /docs for the calls there are." },
  405: {
    title: "Method not allowed",
    cause: "The call exists, but not with this method.",
    remedy: "See /docs for the calls there are.",
  },
  413: {
    title: "Too large",
    cause: "The body is larger than a schema may be.",
    remedy: "Send one schema, of at most 200,000 bytes.",
  },
  429: {
    title: "Too many requests",
    cause: "The key's rate limit is used up.",
    remedy: "Wait for the seconds that Retry-After says.",
  },
  500: { title: "Sluice failed", cause: "An error of the platform.", remedy: "Send the request again." },
  503: {
    title: "Unavailable",
    cause: "Keys cannot be checked at the moment.",
    remedy: "Send the request again after the seconds that Retry-After says.",
  },
  40401: {
    title: "Subject not found",
    cause: "No topic has this subject; a subject is a topic's name and -value.",
    remedy: "See /registry/subjects.",
  },
  40402: {
    title: "Version not found",
    cause: "The subject has no such version.",
    remedy: "See /registry/subjects/SUBJECT/versions.",
  },
  40403: {
    title: "Schema not found",
    cause: "No released schema has this id, or is this schema.",
    remedy: "Release the schema by a deploy; ids come from schemas/releases.json.",
  },
  40408: {
    title: "No compatibility level of its own",
    cause: "No topic has this subject, so it has no compatibility level.",
    remedy: "Ask with ?defaultToGlobal=true for the level of subjects that have none.",
  },
  40409: {
    title: "No mode of its own",
    cause: "No topic has this subject, so it has no mode.",
    remedy: "Ask with ?defaultToGlobal=true for the mode of all subjects.",
  },
  42201: {
    title: "Invalid schema",
    cause: "The schema in the body is missing, or is not Avro.",
    remedy: "`message` names the place.",
  },
  42202: {
    title: "Invalid version",
    cause: "The version in the path is no version.",
    remedy: "Use a number from 1, or latest.",
  },
  42205: {
    title: "Read-only",
    cause: "The registry takes no writes: a release of a schema is a deploy of the project.",
    remedy: "Add schemas/TOPIC/vN.avsc and its entry in schemas/releases.json, and deploy.",
  },
} as const satisfies Record<number, { readonly title: string; readonly cause: string; readonly remedy: string }>;

export type RegistryErrorCode = keyof typeof REGISTRY_ERRORS;

/** Thrown below the registry's routes, which turn it into the answer. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly code: RegistryErrorCode;

  constructor(code: RegistryErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The HTTP status of a code: itself, or its first three digits. */
export function statusOf(code: RegistryErrorCode): number {
  return code < 1_000 ? code : Math.floor(code / 100);
}

export function isRegistryErrorCode(code: number): code is RegistryErrorCode {
  return Object.hasOwn(REGISTRY_ERRORS, code);
}
