/** Personal data that can be recognised wherever it turns up: what a fuzzed user has in masked fields, and nowhere else. */
import type { Contract } from "../../contracts/contract.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";

const TEXT_MARK = "cAnArY-bird";
const PHONE_MARK = "+467001337";

export interface Canaries {
  readonly email: string;
  readonly phone: string;
  readonly address: string;
}

/** The values of one user; `number` tells whose they are, so that a find leads to its request. */
export function canariesOf(number: number): Canaries {
  const tag = `${TEXT_MARK}${number}`;
  return {
    email: `${tag}@example.com`,
    phone: `${PHONE_MARK}${String(number % 1_000_000).padStart(6, "0")}`,
    address: `1 ${tag} Street`,
  };
}

/** The marks as text and in base64 at each of the three places where they may begin. */
export const NEEDLES: readonly string[] = [TEXT_MARK, PHONE_MARK].flatMap((mark) => [
  mark,
  ...[0, 1, 2].map((before) =>
    Buffer.from(`${"x".repeat(before)}${mark}`)
      .toString("base64")
      .slice(4, 12),
  ),
]);

/** The first needle in the content with what stands around it, or undefined. */
export function leakIn(content: string | Uint8Array): string | undefined {
  const bytes =
    typeof content === "string" ? undefined : Buffer.from(content.buffer, content.byteOffset, content.length);
  for (const needle of NEEDLES) {
    const at = typeof content === "string" ? content.indexOf(needle) : (bytes?.indexOf(needle) ?? -1);
    if (at < 0) continue;
    const around = typeof content === "string" ? content : (bytes?.toString("latin1") ?? "");
    return around.slice(Math.max(0, at - 40), at + 60);
  }
  return undefined;
}

/**
 * Whether an event itself carries a canary where its contract promises no masking: in a known field without one, or in an
 * address' domain, which `email` keeps. A mutation of bytes can move it there; storing that is no leak.
 */
export function disclosesItself(event: unknown, contract: Contract): boolean {
  if (!isJsonObject(event)) return false;
  return contract.fields.some((field) => {
    const value = event[field.name];
    if (field.masking === undefined) return leaksInside(value);
    return (
      field.masking === "email" && typeof value === "string" && leakIn(value.split("@").at(-1) ?? "") !== undefined
    );
  });
}

/** Whether any text or key of a JSON value holds a needle. Not by recursion: fuzzed values nest thousands deep. */
export function leaksInside(value: unknown): boolean {
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === "string") {
      if (leakIn(next) !== undefined) return true;
    } else if (Array.isArray(next)) for (const item of next) left.push(item);
    else if (isJsonObject(next)) for (const [key, item] of Object.entries(next)) left.push(key, item);
  }
  return false;
}
