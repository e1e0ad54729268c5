/** The contract of a topic that a caller named. */
import type { Contract } from "../contracts/contract.ts";
import { contractOf, contracts } from "../contracts/registry.ts";
import { ProblemError } from "./problem.ts";

/** Throws the problem UNKNOWN_TOPIC, naming those that exist. */
export function knownTopic(name: string | undefined): Contract {
  const contract = contractOf(name ?? "");
  if (contract !== undefined) return contract;
  const topics = contracts.map(({ topic }) => topic);
  throw new ProblemError("UNKNOWN_TOPIC", `there is no topic "${(name ?? "").slice(0, 100)}"`, { topics });
}
