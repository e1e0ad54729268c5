/** `external_data` was added by contract, schema and gold model only (docs/new-domain.md). Its events go the whole way. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { models } from "../../lakehouse/tables/compiled/models.generated.ts";
import { compareWithDuckDb } from "../../tools/lake/model-oracle.ts";
import { allBuilt, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform();
});
afterAll(() => at.close());

const NOW = new Date(Date.now() - 60_000).toISOString();

function observation(id: string, kind: string, payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    event_id: id,
    event_timestamp: NOW,
    source_kind: kind,
    source_name: `${kind}.example`,
    region: "SE-M",
    ...payload,
  };
}

const route = (travelTime: number) => ({
  maps: { route_id: "malmo-lund", distance_m: 18_400, travel_time_s: travelTime },
});
const quote = (price: string) => ({ market: { symbol: "WHEAT", price, currency: "EUR" } });

describe("a topic without TypeScript of its own", () => {
  test("its contract answers: what is valid is accepted, what breaks its rule is refused with the rule", async () => {
    const events = [
      observation("m-1", "maps", route(1_200)),
      observation("m-2", "maps", route(1_500)),
      observation("m-2", "maps", route(1_500)),
      observation("s-1", "social", { social: { keyword: "pizza", mentions: 40, sentiment: 0.5 } }),
      observation("s-2", "social", { social: { keyword: "sushi", mentions: 2 } }),
      observation("k-1", "market", quote("201.2500")),
      observation("k-2", "market", quote("202.7500")),
      observation("k-3", "market", {}),
      observation("x-1", "astrology", {}),
    ];
    const answer = await at.post("external_data", JSON.stringify(events));
    expect([answer.status, answer.json.accepted, answer.json.rejected]).toEqual([207, 7, 2]);
    expect(answer.json.results).toMatchObject([
      { event_id: "k-3", errors: [{ error_type: "RULE_VIOLATION", rule: "external_data.kind_has_its_payload" }] },
      { event_id: "x-1", errors: [{ error_type: "INVALID_ENUM", pointer: "/source_kind" }] },
    ]);
  });

  test("bronze has every accepted event, silver each once, gold counts and averages", async () => {
    await at.until("7 events in bronze", async () => (await bronzeRows(at.platform, "external_data")) >= 7);
    await at.until("everything built", () => allBuilt(at.platform));

    expect(await at.rows("SELECT count(*)::INT AS rows FROM bronze_external_data")).toEqual([{ rows: 7 }]);
    expect(
      await at.rows(
        "SELECT event_id, maps.travel_time_s AS s FROM silver_external_data WHERE maps IS NOT NULL ORDER BY 1",
      ),
    ).toEqual([
      { event_id: "m-1", s: 1_200 },
      { event_id: "m-2", s: 1_500 },
    ]);
    const gold = await at.rows(
      "SELECT source_kind AS kind, observations::INT AS n, sources::INT AS sources, avg_travel_time_s AS seconds, mentions::INT AS mentions, avg_sentiment AS sentiment, avg_price AS price FROM daily_external_data ORDER BY kind",
    );
    const none = { sources: 1, seconds: null, mentions: null, sentiment: null, price: null };
    expect(gold).toEqual([
      { ...none, kind: "maps", n: 2, seconds: 1_350 },
      { ...none, kind: "market", n: 2, price: 202 },
      { ...none, kind: "social", n: 2, mentions: 42, sentiment: 0.5 },
    ]);

    const model = models.find(({ name }) => name === "daily_external_data");
    if (model === undefined) throw new Error("daily_external_data is not compiled");
    const lake = await at.lake();
    expect((await compareWithDuckDb(lake.connection, model)).differing).toBe(0);
    lake.close();
    expect(at.errors).toEqual([]);
  });
});
