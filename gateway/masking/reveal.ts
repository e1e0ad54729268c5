/**
 * The inverse of `payload.ts`, as far as there is one: what a dead letter's payload stands for, with sealed values opened and
 * masked ones as they are. For replay only: what comes out may be clear, and must go nowhere but through admission.
 */
import { applyResidue, isJsonObject } from "../../schemas/event-residue.ts";
import { parseExactJson } from "../../schemas/exact-json.ts";
import type { Keyring } from "./keyring.ts";
import { unseal } from "./masker.ts";
import { hasMaskedForm, sealedParts } from "./tags.ts";

/** The payload cannot be told from what the platform writes. Its message quotes nothing of it. */
export class RevealError extends Error {
  override readonly name = "RevealError";
}

/** The event of a concealed payload. Throws `RevealError`, `UnsealError` and what parsing JSON throws. */
export function revealEvent(text: string, topic: string, keys: Keyring): unknown {
  const concealed = parseExactJson(text);
  const clear = (sealed: string): string => Buffer.from(unseal(topic, sealed, keys)).toString();
  if (!isJsonObject(concealed)) return concealed;
  const { _extra: extra, ...known } = concealed;
  const event = opened(known, clear);
  if (typeof extra !== "string" || sealedParts(extra) === undefined) return event;
  const unknown = clear(extra);
  refuseMaskedForms(parseExactJson(unknown));
  return applyResidue(event, unknown, null);
}

/** Every text here that has the form of a sealed one was sealed by us: a producer's own was sealed too. */
function opened(value: unknown, clear: (sealed: string) => string): unknown {
  if (typeof value === "string") {
    if (sealedParts(value) === undefined) return value;
    const inner = parseExactJson(clear(value));
    refuseMaskedForms(inner);
    return inner;
  }
  if (Array.isArray(value)) return value.map((item: unknown) => opened(item, clear));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, opened(member, clear)]));
}

// Once opened, a text that a producer wrote in the form of a masked value would pass for one of ours.
function refuseMaskedForms(value: unknown): void {
  if (typeof value === "string") {
    if (hasMaskedForm(value)) throw new RevealError("a text that was sent has the form of a masked value");
    return;
  }
  if (Array.isArray(value) || isJsonObject(value)) for (const member of Object.values(value)) refuseMaskedForms(member);
}
