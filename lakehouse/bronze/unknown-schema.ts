/** No deploy that can read this schema runs: after a rollback, say. What has it waits for one that does. */
export class UnknownSchemaError extends Error {
  override readonly name = "UnknownSchemaError";
}
