/** `/v1/keys`: make, list, rotate and revoke keys. A key's text leaves here once and is not kept. */
import { insertKey, keyById, type ListedKey, listKeys, revokeKey, rotateKey } from "../../sql/statements/keys.ts";
import { textsOf } from "../access/grant.ts";
import { catalog } from "../catalog.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { mintKey } from "../keys/key-text.ts";
import { bodyOf } from "../openapi/json-body.ts";
import { ProblemError } from "../problem.ts";
import { createKeyBody, rotateKeyBody } from "./keys.api.ts";

type Route = (c: GatewayContext) => Promise<Response>;

export function getKeys(deps: GatewayDeps): Route {
  return async function getKeys(c) {
    const keys = await catalog(() => listKeys(deps.db));
    return c.json({ keys: keys.map((key) => shown(key, deps.clock.now())) });
  };
}

export function postKey(deps: GatewayDeps): Route {
  return async function postKey(c) {
    const wanted = await bodyOf(c, createKeyBody);
    const now = deps.clock.now();
    const minted = mintKey(wanted.kind, deps.environment, deps.randomBytes);
    const { expires_in_seconds: seconds } = wanted;
    await catalog(() =>
      insertKey(deps.db, {
        key_hash: minted.keyHash,
        key_id: minted.keyId,
        kind: wanted.kind,
        producer: wanted.producer,
        scopes: JSON.stringify(wanted.scopes),
        origins: JSON.stringify(wanted.origins),
        events_per_minute: wanted.events_per_minute,
        created_at: timeOf(now),
        expires_at: seconds === null ? null : timeOf(now + seconds * 1_000),
      }),
    );
    return await created(c, deps, minted);
  };
}

export function postRotation(deps: GatewayDeps): Route {
  return async function postRotation(c) {
    const old = await knownKey(c, deps);
    const { overlap_seconds: seconds } = await bodyOf(c, rotateKeyBody);
    const now = deps.clock.now();
    const minted = mintKey(old.kind, deps.environment, deps.randomBytes);
    const rotation = {
      oldId: old.key_id,
      newHash: minted.keyHash,
      newId: minted.keyId,
      now: timeOf(now),
      oldExpiresAt: timeOf(now + seconds * 1_000),
    };
    if (!(await catalog(() => rotateKey(deps.db, rotation)))) {
      throw new ProblemError("KEY_NOT_IN_FORCE", `${old.key_id} was revoked or has expired: make a new key`);
    }
    return await created(c, deps, minted);
  };
}

export function postRevocation(deps: GatewayDeps): Route {
  return async function postRevocation(c) {
    const { key_id } = await knownKey(c, deps);
    await catalog(() => revokeKey(deps.db, key_id, timeOf(deps.clock.now())));
    return c.json(shown(await knownKey(c, deps), deps.clock.now()));
  };
}

async function knownKey(c: GatewayContext, deps: GatewayDeps): Promise<ListedKey> {
  const id = c.req.param("key_id") ?? "";
  const key = await catalog(() => keyById(deps.db, id));
  if (key !== null) return key;
  throw new ProblemError("UNKNOWN_KEY", `there is no key "${id.slice(0, 100)}"; see /v1/keys`);
}

async function created(
  c: GatewayContext,
  deps: GatewayDeps,
  { key, keyId }: { readonly key: string; readonly keyId: string },
): Promise<Response> {
  const row = await catalog(() => keyById(deps.db, keyId));
  if (row === null) throw new Error(`${keyId} was stored and is not there`);
  return c.json({ key, ...shown(row, deps.clock.now()) }, 201);
}

function shown(key: ListedKey, now: number) {
  const expired = key.expires_at !== null && Date.parse(key.expires_at) <= now;
  return {
    ...key,
    scopes: textsOf(key.scopes),
    origins: textsOf(key.origins),
    state: key.revoked_at !== null ? "revoked" : expired ? "expired" : "active",
  };
}

function timeOf(millis: number): string {
  return new Date(millis).toISOString();
}
