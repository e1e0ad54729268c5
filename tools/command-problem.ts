export type ProblemCode =
  | "USAGE"
  | "BUNDLE_FAILED"
  | "IN_USE"
  | "PORT_TAKEN"
  | "STATE_LAYOUT"
  | "NOT_A_STATE_FOLDER"
  | "NO_STATE"
  | "MIGRATION_CHANGED"
  | "MIGRATION_FAILED"
  | "LAKE_UNREADABLE"
  | "QUERY_FAILED"
  | "PLATFORM_REFUSED"
  | "SEND_FAILED"
  | "NOT_READABLE"
  | "LEDGER_OPEN"
  | "DOCS_OUT_OF_DATE"
  | "PROVISION_FAILED"
  | "SCHEMAS_REFUSED"
  | "CONTRACTS_REFUSED"
  | "MODELS_REFUSED"
  | "TOPIC_EXISTS"
  | "QUEUES_OUT_OF_STEP";

/** Something the person at the terminal can mend. The message says what is wrong and what to do; it is shown without a stack. */
export class CommandProblem extends Error {
  override readonly name = "CommandProblem";
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
