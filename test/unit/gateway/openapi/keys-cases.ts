/** How each documented answer about keys is produced. */
import type { Harness } from "../harness.ts";
import { get, send, withoutCatalog } from "./calls.ts";
import type { Case, ResponseKey } from "./case.ts";

const makeKey = (harness: Harness): Promise<Response> =>
  harness.post("/v1/keys", { producer: "shop", scopes: ["orders:write"] });
const onNewKey =
  (action: string, body: unknown): Case =>
  async (harness) => {
    const { key_id }: { key_id: string } = JSON.parse(await (await makeKey(harness)).text());
    return await harness.post(`/v1/keys/${key_id}/${action}`, body);
  };
const adminCases = (address: string, body: unknown): Record<ResponseKey, Case> => ({
  "404 UNKNOWN_KEY": send(body, address),
  "503 CATALOG_UNAVAILABLE": withoutCatalog(send(body, address)),
});
export const keysCases: Record<string, Record<ResponseKey, Case>> = {
  "GET /v1/keys": { "200": get("/v1/keys"), "503 CATALOG_UNAVAILABLE": withoutCatalog(get("/v1/keys")) },
  "POST /v1/keys": {
    "201": makeKey,
    "400 INVALID_PARAMETER": send({ producer: "shop", scopes: ["everything"] }, "/v1/keys"),
    "413 BODY_TOO_LARGE": send(" ".repeat(300_000), "/v1/keys"),
    "503 CATALOG_UNAVAILABLE": withoutCatalog(makeKey),
  },
  "POST /v1/keys/{key_id}/rotate": {
    ...adminCases("/v1/keys/nope/rotate", {}),
    "201": onNewKey("rotate", {}),
    "400 INVALID_PARAMETER": onNewKey("rotate", { overlap_seconds: -1 }),
    "409 KEY_NOT_IN_FORCE": async (harness) => {
      const { key_id }: { key_id: string } = JSON.parse(await (await makeKey(harness)).text());
      await harness.post(`/v1/keys/${key_id}/revoke`, {});
      return await harness.post(`/v1/keys/${key_id}/rotate`, {});
    },
    "413 BODY_TOO_LARGE": onNewKey("rotate", " ".repeat(300_000)),
  },
  "POST /v1/keys/{key_id}/revoke": { ...adminCases("/v1/keys/nope/revoke", {}), "200": onNewKey("revoke", {}) },
};
