/** The masker of a request's topic. */
import type { TopicAdmitter } from "../admit/topics.ts";
import type { GatewayDeps } from "../deps.ts";
import { ProblemError } from "../problem.ts";
import { createMasker, type Masker } from "./masker.ts";

/** null for a topic without masked fields. Throws the problem MASKING_KEYS_UNAVAILABLE where fields cannot be masked: then nothing of the topic may be read. */
export function maskerOf(
  { contract, pii }: Pick<TopicAdmitter, "contract" | "pii">,
  deps: Pick<GatewayDeps, "maskingKeys" | "randomBytes">,
): Masker | null {
  if (!pii) return null;
  const keys = deps.maskingKeys();
  if (keys.ok) return createMasker(keys, (length) => deps.randomBytes(length));
  const detail = `topic ${contract.topic} has masked fields, and this deployment has no keys to mask them with: ${keys.reason}`;
  throw new ProblemError("MASKING_KEYS_UNAVAILABLE", detail, {}, {}, { cause: new Error(keys.reason) });
}
