/** How each documented answer about dead letters and parked messages is produced. */
import type { MaskingSecrets } from "../../../../gateway/masking/keyring.ts";
import type { Harness } from "../harness.ts";
import { addKey, bearer, createHarness, deadLetters, order } from "../harness.ts";
import { land } from "../land.ts";
import { EVENTS, get, send, withBusyLake, withoutCatalog, withoutMemory } from "./calls.ts";
import type { Case, ResponseKey } from "./case.ts";

async function refuseOrder(harness: Harness): Promise<string> {
  await harness.post(EVENTS, [order("b", { amount: -1 })]);
  const [id] = deadLetters(harness).map((letter) => String(letter["dlq_id"]));
  await land(harness);
  return id ?? "";
}
const lakeCases = (path: string): Record<ResponseKey, Case> => ({
  "503 LAKE_BUSY": withBusyLake(get(path)),
  "503 LAKE_UNAVAILABLE": withoutCatalog(get(path)),
});
const REPLAY = "/v1/dead-letters/replay";
export const deadLettersCases: Record<string, Record<ResponseKey, Case>> = {
  "GET /v1/dead-letters": {
    ...lakeCases("/v1/dead-letters"),
    "200": async (harness) => {
      await refuseOrder(harness);
      return await harness.request("/v1/dead-letters?topic=orders");
    },
    "400 INVALID_PARAMETER": get("/v1/dead-letters?from=yesterday"),
    "404 UNKNOWN_TOPIC": get("/v1/dead-letters?topic=nope"),
  },
  "GET /v1/dead-letters/{dlq_id}": {
    ...lakeCases("/v1/dead-letters/00"),
    "200": async (harness) => await harness.request(`/v1/dead-letters/${await refuseOrder(harness)}`),
    "400 INVALID_PARAMETER": get("/v1/dead-letters/00?date=2026-02-31"),
    "404 UNKNOWN_DEAD_LETTER": get("/v1/dead-letters/00"),
  },
  "POST /v1/dead-letters/replay": {
    "200": async (harness) => await harness.post(REPLAY, { dlq_ids: [await refuseOrder(harness), "00"] }),
    "400 INVALID_PARAMETER": send({ error_type: "MISSING_FIELD" }, REPLAY),
    "404 UNKNOWN_TOPIC": send({ topic: "nope" }, REPLAY),
    "503 OVERLOADED": () => withoutMemory().post(REPLAY, { topic: "orders" }),
    "413 BODY_TOO_LARGE": send(" ".repeat(300_000), REPLAY),
    "503 QUEUE_UNAVAILABLE": async (harness) => {
      const id = await refuseOrder(harness);
      harness.failAllSends();
      return await harness.post(REPLAY, { dlq_ids: [id], dry_run: false });
    },
    "503 MASKING_KEYS_UNAVAILABLE": async () => {
      const ring = JSON.stringify({ current: 1, keys: { 1: Buffer.alloc(32, 1).toString("base64") } });
      const secrets: MaskingSecrets & { MASKING_KEYS: string | undefined } = { MASKING_KEYS: ring, PAYLOAD_KEYS: ring };
      const deployed = createHarness({ environment: "staging", secrets });
      addKey(deployed.db, "deployed", ["*:write", "*:read"], null, "staging");
      const key = { authorization: bearer("deployed", "staging") };
      await deployed.post("/v1/topics/users/events", [{}], key);
      await land(deployed);
      Object.assign(secrets, { MASKING_KEYS: undefined });
      return await deployed.post(REPLAY, { topic: "users" }, key);
    },
    "503 LAKE_BUSY": withBusyLake(send({ topic: "orders" }, REPLAY)),
    "503 LAKE_UNAVAILABLE": withoutCatalog(send({ topic: "orders" }, REPLAY)),
  },
};

async function parkOne(harness: Harness): Promise<void> {
  const customMetadata = { cause: "system", detail: "d", attempts: "3", sent: "2026-11-21T00:00:00.000Z" };
  await harness.bucket.put("parked/sluice-local-orders/m1", Uint8Array.of(1), { customMetadata });
}
const RETRY = "/v1/parked/retry";
export const parkedCases: Record<string, Record<ResponseKey, Case>> = {
  "GET /v1/parked": {
    "200": async (harness) => {
      await parkOne(harness);
      return await harness.request("/v1/parked?queue=sluice-local-orders&limit=1");
    },
    "400 INVALID_PARAMETER": get("/v1/parked?limit=0"),
    "503 LAKE_UNAVAILABLE": async (harness) => {
      harness.bucket.failures.push(new Error("list: internal error"));
      return await harness.request("/v1/parked");
    },
  },
  "GET /v1/parked/item": {
    "200": async (harness) => {
      await parkOne(harness);
      return await harness.request("/v1/parked/item?id=sluice-local-orders/m1");
    },
    "400 INVALID_PARAMETER": get("/v1/parked/item?id=m1"),
    "404 NOT_PARKED": get("/v1/parked/item?id=sluice-local-orders/m1"),
    "503 LAKE_UNAVAILABLE": async (harness) => {
      harness.bucket.failures.push(new Error("get: internal error"));
      return await harness.request("/v1/parked/item?id=sluice-local-orders/m1");
    },
  },
  "POST /v1/parked/retry": {
    "200": async (harness) => {
      await parkOne(harness);
      return await harness.post(RETRY, { ids: ["sluice-local-orders/m1", "sluice-local-orders/m2"] });
    },
    "400 INVALID_PARAMETER": send({ ids: ["m1"] }, RETRY),
    "413 BODY_TOO_LARGE": send(" ".repeat(300_000), RETRY),
  },
};
