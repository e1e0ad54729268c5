/** Recent bronze and dead letters of a topic through a proposed contract. Reads the lake, writes nothing. */
import type { Contract } from "../../contracts/contract.ts";
import { hasMaskedFields } from "../../contracts/masking.ts";
import { contractOf } from "../../contracts/registry.ts";
import type { StoredDeadLetter } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import { parseExactJson } from "../../schemas/exact-json.ts";
import { formatTimestamp } from "../../schemas/time.ts";
import type { LakeSource } from "../lake/source.ts";
import { createJudge, type Judge, type Proposal } from "./judge.ts";
import { createTrialTally, type DeadLetterOutcome, type TrialReport } from "./report.ts";
import { bronzeFilesSince, deadLettersOf, eventsOf } from "./stored-events.ts";

export interface TrialOptions {
  readonly source: LakeSource;
  readonly proposal: Proposal;
  /** The contract under which the events were stored. */
  readonly stored: Contract;
  /** Events received from here on, microseconds since the epoch. */
  readonly since: number;
  /** Called as rows are read. */
  readonly onProgress: (rows: number, total: number) => void;
}

/** Judges every stored event and dead letter of the period. Throws CommandProblem (LAKE_UNREADABLE). */
export async function tryContract({ source, proposal, stored, since, onProgress }: TrialOptions): Promise<TrialReport> {
  const deadLetters = contractOf("dead_letters");
  if (deadLetters === undefined) throw new Error("there is no contract for dead_letters");
  const judge = createJudge(proposal, stored);
  const tally = createTrialTally();
  const pii = hasMaskedFields(stored);
  const bronze = await bronzeFilesSince(source, stored, since);
  const refused = await bronzeFilesSince(source, deadLetters, since);
  const total = [...bronze, ...refused].reduce((sum, file) => sum + file.rows, 0);
  let rows = 0;

  for (const file of bronze) {
    for await (const { event, received, version, hasExtra } of eventsOf(source, stored, file, since)) {
      tally.accepted(
        idOf(event, stored, proposal),
        judge.errorsOf({ event, received, version, sealed: pii && hasExtra }),
      );
    }
    rows += file.rows;
    onProgress(rows, total);
  }
  // A message that was delivered again may have brought its dead letter twice.
  const seen = new Set<string>();
  for (const file of refused) {
    for await (const { letter, received } of deadLettersOf(source, file, since)) {
      if (letter.source_topic !== stored.topic || seen.has(letter.dlq_id)) continue;
      seen.add(letter.dlq_id);
      const event = await payloadOf(source, letter);
      const id = event === undefined ? null : idOf(event, stored, proposal);
      tally.deadLetter(id, event === undefined ? "not_judged" : outcomeOf(judge, letter, event, received));
    }
    rows += file.rows;
    onProgress(rows, total);
  }
  return tally.report({
    topic: stored.topic,
    contract_version: proposal.contract.version,
    since: formatTimestamp(since),
    rules_not_judged: [...new Set(judge.unjudgeableRules)],
  });
}

/** What becomes of a refused event under the proposal. `received` is in microseconds since the epoch. */
export function outcomeOf(
  judge: Judge,
  letter: Pick<StoredDeadLetter, "schema_version" | "errors">,
  event: unknown,
  received: number,
): DeadLetterOutcome {
  const own = isJsonObject(event) ? event["schema_version"] : undefined;
  const version = typeof own === "number" && Number.isInteger(own) ? own : letter.schema_version;
  const stored = { event, received, version, sealed: false };
  const { errors } = letter;
  // The limit is the gateway's: no contract moves it.
  if (errors.some(({ error_type }) => error_type === "EVENT_TOO_LARGE")) return "still_failing";
  if (judge.errorsOf(stored).length > 0) return "still_failing";
  // A check of a later layer refused the row: admission cannot tell whether it would again.
  if (errors.some(({ error_type }) => error_type === "QUALITY_GATE")) return "not_judged";
  const unclear = errors.some((error) => judge.isUnjudgeable(error));
  return unclear ? "not_judged" : "newly_passing";
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The refused event; undefined where its bytes are sealed, gone or no JSON. */
async function payloadOf(source: LakeSource, letter: StoredDeadLetter): Promise<unknown> {
  const { payload, payload_encoding: encoding, payload_ref: reference } = letter;
  if (encoding !== "utf-8") return undefined;
  try {
    if (payload !== null) return parseExactJson(payload);
    const bytes = reference === null ? undefined : await source.read(reference);
    return bytes === undefined ? undefined : parseExactJson(decoder.decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The event's id, as stored; null where the proposal masks what is stored in the clear. */
function idOf(event: unknown, stored: Contract, proposal: Proposal): string | null {
  const name = stored.dedupeKey[0] ?? "";
  const masking = (contract: Contract) => contract.fields.find((field) => field.name === name)?.masking;
  if (masking(proposal.contract) !== masking(stored)) return null;
  const id = isJsonObject(event) && Object.hasOwn(event, name) ? event[name] : undefined;
  return typeof id === "string" ? id.slice(0, 256) : null;
}
