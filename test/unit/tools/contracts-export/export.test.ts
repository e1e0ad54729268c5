/** A contract as other tools get it: `npm run interop -- contracts` lets one of them run it. */
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { documents } from "../../../../contracts/documents/documents.generated.ts";
import { contractOf, contracts } from "../../../../contracts/registry.ts";
import { type OdcsProperty, odcs } from "../../../../tools/build/contracts/odcs.ts";
import { exportContract } from "../../../../tools/contracts-export/export.ts";

function exported(topic: string) {
  const [contract, document] = [contractOf(topic), documents.get(topic)];
  if (contract === undefined || document === undefined) throw new Error(`no topic ${topic}`);
  const source = odcs.parse(JSON.parse(document.json));
  const text = stringify(exportContract(source, contract, "lake/*.parquet"));
  return { source, result: odcs.parse(parse(text)) };
}

function property(topic: string, name: string): OdcsProperty | undefined {
  return exported(topic).result.schema[0].properties.find((each) => each.name === name);
}

describe("an exported contract", () => {
  it.each(contracts.map(({ topic }) => topic))(
    "%s is one by the standard, says where the files are, and loses no field",
    (topic) => {
      const { source, result } = exported(topic);
      const partition = contractOf(topic)?.partition.column ?? "";
      expect(result.schema[0].properties.map(({ name }) => name)).toEqual([
        ...source.schema[0].properties.map(({ name }) => name),
        partition,
      ]);
      expect(result.servers).toEqual([{ server: "local", type: "local", path: "lake/*.parquet", format: "parquet" }]);
      for (const { name, logicalType, physicalType } of result.schema[0].properties) {
        const nested = logicalType === "array" || logicalType === "object";
        expect([name, physicalType]).toEqual([
          name,
          nested ? undefined : expect.stringMatching(/^[A-Z_]+(\(\d+,\d+\))?$/),
        ]);
      }
    },
  );

  it("has the types that are stored: decimals with their digits, integers by their width, in lists as well", () => {
    expect(property("orders", "amount")?.physicalType).toBe("DECIMAL(12,2)");
    expect(property("orders", "schema_version")?.physicalType).toBe("INTEGER");
    expect(property("orders", "event_timestamp")?.physicalType).toBe("TIMESTAMP_TZ");
    expect(property("clickstream", "duration_ms")?.physicalType).toBe("BIGINT");
    expect(property("weather", "temperature_c")?.physicalType).toBe("DOUBLE");
    const items = property("orders", "items")?.items?.properties ?? [];
    expect(items.map(({ name, physicalType }) => [name, physicalType])).toEqual([
      ["sku", "VARCHAR"],
      ["name", "VARCHAR"],
      ["quantity", "INTEGER"],
      ["unit_price", "DECIMAL(12,2)"],
    ]);
  });

  it("lets tools run what holds for every published row, and shows them the rest as text", () => {
    const quality = exported("orders").result.schema[0].quality ?? [];
    expect(quality.filter((entry) => "metric" in entry || "query" in entry).map(({ name }) => name)).toEqual([
      "silver is not empty",
    ]);
    const skipped = quality.filter((entry) => entry.type === "custom");
    expect(skipped.map(({ name }) => name)).toContain("every currency's revenue is above nothing");
    for (const { engine, implementation } of skipped) {
      expect(engine).toBe("sluice");
      // Nothing of it is lost.
      expect(JSON.parse(String(implementation))).toMatchObject({ customProperties: expect.anything() });
    }
  });

  it("has keys, and duplicates, within a partition: a date later the same key may come again", () => {
    const keys = exported("payments").result.schema[0].properties.filter(({ primaryKey }) => primaryKey === true);
    expect(keys.map(({ name, primaryKeyPosition }) => [name, primaryKeyPosition])).toEqual([
      ["event_id", 1],
      ["event_date", 2],
    ]);
    const metrics = exported("payments").result.schema[0].quality?.filter(
      (entry) => "metric" in entry && entry.metric === "duplicateValues",
    );
    expect(metrics).toMatchObject([{ arguments: { properties: ["payment_id", "attempt", "status", "event_date"] } }]);
  });

  it("does not ask of masked values what producers' values must be", () => {
    for (const name of ["email", "phone", "address"]) {
      const field = property("users", name);
      expect([name, field?.logicalTypeOptions, field?.quality, field?.examples]).toEqual([
        name,
        undefined,
        undefined,
        undefined,
      ]);
      expect(field?.physicalType).toBe("VARCHAR");
    }
    expect(property("users", "user_id")?.logicalTypeOptions).toBeDefined();
  });

  it("has no service level about a column: what is promised of bronze would be measured in silver's times", () => {
    const levels = exported("orders").result.slaProperties ?? [];
    expect(levels.map(({ property: name, element }) => [name, element])).toEqual([["latency", undefined]]);
  });
});
