/** Fresh values for the secrets, and the copy of them that a person keeps. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { CommandProblem } from "../command-problem.ts";
import type { SecretName } from "./plan.ts";

/** 32 bytes: HMAC-SHA-256 and AES-256-GCM (docs/masking.md). */
const KEY_BYTES = 32;

/** A keyring of one key, as `gateway/masking/keyring.ts` reads it. */
export function freshKeyring(randomBytes: (count: number) => Uint8Array): string {
  return JSON.stringify({ current: 1, keys: { 1: Buffer.from(randomBytes(KEY_BYTES)).toString("base64") } });
}

export interface Keyrings {
  /** The value to set; the same one each time, also in a later run if there is a file. */
  valueOf(secret: SecretName): string;
}

const copySchema = z.record(z.string(), z.string());

/**
 * Keyrings kept in `file` (mode 0600, a JSON object by secret), which is written before a value is used: a run that fails
 * in between and is repeated sets the same key. Without a file nobody has a copy. Throws CommandProblem (USAGE) for a file
 * that holds something else.
 */
export function keyringsIn(file: string | undefined, randomBytes: (count: number) => Uint8Array): Keyrings {
  const values = file !== undefined && existsSync(file) ? readCopy(file) : {};
  return {
    valueOf(secret) {
      const known = values[secret];
      if (known !== undefined) return known;
      const made = freshKeyring(randomBytes);
      values[secret] = made;
      if (file !== undefined) writeFileSync(file, `${JSON.stringify(values, null, 2)}\n`, { mode: 0o600 });
      return made;
    },
  };
}

function readCopy(file: string): Record<string, string> {
  try {
    return copySchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new CommandProblem("USAGE", `${file} is no copy of keys: choose another file.`, { cause });
  }
}
