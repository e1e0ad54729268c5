/** The dead letter of a replay that was refused: one more attempt of the same event, from the same place, with the same payload. */
import type { EventError } from "../../contracts/verdict.ts";
import type { StoredDeadLetter } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import { type DeadLetterEvent, storableVersion } from "../dead-letters/dead-letter.ts";
import { sha256Hex } from "../sha256.ts";

export interface RefusedAgain {
  readonly errors: readonly EventError[];
  readonly contractVersion: string;
  readonly schemaVersion: number;
}

/** `replay_of` names the first dead letter. The id derives from it and the outcome: the same refusal again is the same dead letter. */
export function refusedAgain(letter: StoredDeadLetter, refused: RefusedAgain): DeadLetterEvent {
  const { errors, contractVersion } = refused;
  const first = letter.replay_of ?? letter.dlq_id;
  const attempts = letter.attempts + 1;
  const outcome = JSON.stringify([first, attempts, contractVersion, refused.schemaVersion, errors]);
  return {
    ...letter,
    dlq_id: sha256Hex(outcome).slice(0, 32),
    contract_version: contractVersion,
    schema_version: storableVersion(refused.schemaVersion),
    stage: "admission",
    error_type: errors[0]?.error_type ?? letter.error_type,
    errors,
    attempts,
    replay_of: first,
  };
}
