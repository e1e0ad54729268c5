/** The keys of masking and sealing, as the secrets MASKING_KEYS and PAYLOAD_KEYS hold them. */
import * as z from "zod";
import { LOCAL_ONLY_MASKING_KEYS, LOCAL_ONLY_PAYLOAD_KEYS } from "./local-keys.ts";

/** Numbered keys: new values are written with the current one, values written with an older one stay readable. */
export interface Keyring {
  readonly current: number;
  readonly keys: ReadonlyMap<number, Uint8Array>;
}

/** The keys, or why a topic with personal data cannot be taken. */
export type MaskingKeys =
  | { readonly ok: true; readonly masking: Keyring; readonly payload: Keyring }
  | { readonly ok: false; readonly reason: string };

/** The secrets as the platform hands them over; undefined where not set. */
export interface MaskingSecrets {
  readonly MASKING_KEYS?: string | undefined;
  readonly PAYLOAD_KEYS?: string | undefined;
}

/** HMAC-SHA-256: as long as the hash (RFC 2104, section 3). AES-256: exactly that long. */
const KEY_BYTES = 32;

const shape = z.strictObject({
  current: z.int().positive(),
  keys: z.record(z.string().regex(/^[1-9]\d{0,5}$/), z.base64()),
});

/**
 * Reads the secrets. Never throws, and never quotes a key. `local` runs fall back to keys that stand in the code; elsewhere
 * those are refused, as is a secret that is missing.
 */
export function readMaskingKeys(secrets: MaskingSecrets, local: boolean): MaskingKeys {
  const masking = readKeyring("MASKING_KEYS", secrets.MASKING_KEYS, LOCAL_ONLY_MASKING_KEYS, local);
  if (typeof masking === "string") return { ok: false, reason: masking };
  const payload = readKeyring("PAYLOAD_KEYS", secrets.PAYLOAD_KEYS, LOCAL_ONLY_PAYLOAD_KEYS, local);
  if (typeof payload === "string") return { ok: false, reason: payload };
  return { ok: true, masking, payload };
}

/** The key ring, or what is wrong with the secret. */
function readKeyring(name: string, secret: string | undefined, localOnly: string, local: boolean): Keyring | string {
  if (secret === undefined && !local) return `the secret ${name} is not set`;
  const parsed = shape.safeParse(jsonOf(secret ?? localOnly));
  if (!parsed.success) return `the secret ${name} is not of the form {"current": 1, "keys": {"1": "<base64>"}}`;
  const known = local ? new Set<string>() : new Set(Object.values(shape.parse(JSON.parse(localOnly)).keys));
  const keys = new Map<number, Uint8Array>();
  for (const [number, base64] of Object.entries(parsed.data.keys)) {
    const key = Buffer.from(base64, "base64");
    if (key.byteLength !== KEY_BYTES) return `key ${number} of ${name} has ${key.byteLength} bytes, not ${KEY_BYTES}`;
    if (known.has(key.toString("base64"))) return `key ${number} of ${name} is the local one, which everybody knows`;
    keys.set(Number(number), key);
  }
  const { current } = parsed.data;
  return keys.has(current) ? { current, keys } : `${name} says that key ${current} is current, but does not have it`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
