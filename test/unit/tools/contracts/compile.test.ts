import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { compileContract } from "../../../../tools/build/contracts/compile.ts";
import { renderProblem } from "../../../../tools/build/problem.ts";
import { loadSchemas } from "../../../../tools/build/schemas/load.ts";

const root = resolve(import.meta.dirname, "../../../..");
const { releases, problems } = loadSchemas(root);
const orders = readFileSync(join(root, "contracts/orders.yaml"), "utf8");

/** What the compiler says of orders.yaml with one change. */
function complaints(from: string | RegExp, to: string): string[] {
  const text = orders.replace(from, to);
  if (text === orders) throw new Error(`orders.yaml does not contain ${from}`);
  const compiled = compileContract({ file: "contracts/orders.yaml", text }, releases);
  return compiled.ok ? [] : compiled.problems.map(renderProblem);
}

/** Where another service level is put. */
const BEHIND_LEVELS = "customProperties:\n  - { property: mode";

function withLevel(text: string): [from: string, to: string] {
  return [BEHIND_LEVELS, `  - { property: ${text}, element: orders.event_timestamp }\n${BEHIND_LEVELS}`];
}

function lineOf(text: string): number {
  return orders.slice(0, orders.indexOf(text)).split("\n").length;
}

describe("the contract compiler", () => {
  test("the released schemas are as they were released", () => {
    expect(problems).toEqual([]);
  });

  test("orders compiles", () => {
    const compiled = compileContract({ file: "contracts/orders.yaml", text: orders }, releases);
    if (!compiled.ok) throw new Error(compiled.problems.map(renderProblem).join("\n"));
    expect(compiled.contract).toMatchObject({
      topic: "orders",
      dedupeKey: ["event_id"],
      shardKey: ["event_id"],
      shards: 2,
      eventTimeWindow: { pastMs: 7 * 86_400_000, futureMs: 300_000 },
      latenessMs: 3_600_000,
      flush: { bytes: 16_000_000, rows: 100_000, ageMs: 60_000 },
      buildAfterMs: 600_000,
      sla: { latencyMs: 120_000 },
      replayWindowMs: 7 * 86_400_000,
      compatibility: "FULL_TRANSITIVE",
      schemas: [
        { id: 100_001, version: 1 },
        { id: 100_006, version: 2 },
      ],
    });
    expect(compiled.contract.fields.find((field) => field.name === "currency")?.accepted).toContain("INR");
  });

  test("every mistake names file, line, what and what to do", () => {
    expect(complaints("shards, value: 2", "shards, value: 3").join()).toMatch(
      new RegExp(`^contracts/orders\\.yaml:${lineOf("property: shards")}: .*power of two`),
    );
    const integer = complaints(
      /name: coupon, logicalType: string, .*maxLength: 64 }/,
      "name: coupon, logicalType: integer",
    );
    expect(integer.join()).toMatch(
      new RegExp(
        `^contracts/orders\\.yaml:${lineOf("name: coupon")}: "coupon" is integer in the contract but string in the Avro schema`,
      ),
    );
    expect(complaints("name: coupon,", "name: voucher,").join("\n")).toContain('the Avro schema has a field "coupon"');
    expect(
      complaints("name: coupon, logicalType: string,", "name: coupon, logicalType: string, required: true,").join(),
    ).toContain("may be null in the Avro schema");
    expect(complaints("property: dedupeKey, value: [event_id]", "property: dedupeKey, value: [nope]").join()).toContain(
      'dedupeKey names the field "nope"',
    );
    expect(
      complaints("property: eventTime, value: event_timestamp", "property: eventTime, value: coupon").join(),
    ).toContain("must be a required field with logicalType timestamp");
    expect(complaints("abs(event.amount", "abs(event.amont").join()).toContain("reads event.amont");
    expect(complaints("abs(event.amount - ", "abs(event.amount - - ( ").join()).toContain("is not valid CEL");
    const ids = 'name: order_id, logicalType: string, required: true, logicalTypeOptions: { pattern: "';
    expect(complaints(`${ids}^ord_`, `${ids}(ord_`).join()).toMatch(
      new RegExp(`^contracts/orders\\.yaml:${lineOf("name: order_id")}: pattern \\(ord_.*is not closed`),
    );
    expect(complaints("lateness, value: PT1H", "lateness, value: 1 hour").join()).toContain(
      "is not an ISO 8601 duration",
    );
    expect(complaints("property: unknownFields, value: keep", "property: unknownFields, value: drop").join()).toContain(
      "unknownFields",
    );
    expect(complaints("apiVersion: v3.1.0", "apiVersion: v2.0.0").join()).toContain("apiVersion");
    expect(complaints("arguments: { properties: [event_id] }", "arguments: { properties: [nope] }").join()).toContain(
      'measures "nope"',
    );
    expect(complaints("kind: DataContract", "kind: [").join()).toMatch(/^contracts\/orders\.yaml:\d+: /);
  });

  test.each([
    ["freshness, value: 2, unit: h", { freshnessMs: 7_200_000 }],
    ["freshness, value: 12.5, unit: min", { freshnessMs: 750_000 }],
    ["completeness, value: 99.5", { completenessPercent: 99.5 }],
    ["completeness, value: 100, unit: percent", { completenessPercent: 100 }],
    ["retention, value: 240, unit: hours", { retentionMs: 240 * 3_600_000 }],
    ["availability, value: 99, unit: percent", {}],
  ])("a service level: %s", (text, expected) => {
    const changed = orders.replace(...withLevel(text));
    const compiled = compileContract({ file: "contracts/orders.yaml", text: changed }, releases);
    if (!compiled.ok) throw new Error(compiled.problems.map(renderProblem).join("\n"));
    expect(compiled.contract.sla).toEqual({ latencyMs: 120_000, ...expected });
  });

  test.each([
    ["retention, value: 7, unit: m", 'the unit "m" is none of ms, s, min, h, d, w, y'],
    ["retention, value: 7", "it needs a unit"],
    ["retention, value: forever, unit: d", '"forever" is no length of time'],
    ["retention, value: 0, unit: d", "0 is no length of time"],
    ["completeness, value: 101", "101 is no percentage"],
    ["completeness, value: 99, unit: rows", 'the unit "rows" is not percent'],
    ["latency, value: 500, unit: s", "latency is stated twice"],
  ])("a service level that cannot be read: %s", (text, expected) => {
    const line = lineOf(BEHIND_LEVELS);
    expect(complaints(...withLevel(text))).toEqual([
      expect.stringMatching(new RegExp(`^contracts/orders\\.yaml:${line}: .*${expected}`)),
    ]);
  });

  test("a promise that the contract's own waiting breaks is refused, with what to write instead", () => {
    const freshness = (value: string) => complaints(...withLevel(`freshness, value: ${value}`));
    const line = lineOf(BEHIND_LEVELS);
    expect(freshness("690, unit: s")).toEqual([
      `contracts/orders.yaml:${line}: freshness promises 690 s, but events wait 30 s for a batch of their queue, 60 s for a flush (flush.age) and their rows 600 s for a build (buildAfter): promise more than 690 s, or shorten them`,
    ]);
    expect(freshness("691, unit: s")).toEqual([]);
    const ofLatency = complaints("value: 120,", "value: 90,");
    expect(ofLatency.join()).toContain(
      "latency promises 90 s, but events wait 30 s for a batch of their queue and 60 s for a flush (flush.age): promise more than 90 s",
    );
  });

  test("a custom property that is misspelt is named where it stands, with those there are", () => {
    expect(complaints("property: shards,", "property: shardz,")).toEqual([
      expect.stringMatching(
        new RegExp(`^contracts/orders\\.yaml:${lineOf("property: shards")}: .*"shardz"; there are .*shardKey, shards`),
      ),
    ]);
  });

  test("how far back a topic is read as a stream", () => {
    const windowOf = (text: string) => {
      const compiled = compileContract({ file: "contracts/orders.yaml", text }, releases);
      return compiled.ok ? compiled.contract.replayWindowMs : compiled.problems.map(renderProblem);
    };
    const stated = "  - { property: replayWindow, value: P7D }\n";
    expect(windowOf(orders.replace(stated, ""))).toBe(7 * 86_400_000);
    expect(windowOf(orders.replace(stated, stated.replace("P7D", "PT36H")))).toBe(36 * 3_600_000);
    const line = lineOf("property: replayWindow");
    for (const [value, why] of [
      ["PT0S", "give it a length above 0, such as P7D"],
      ["7d", '"7d" is not an ISO 8601 duration such as P7D'],
    ] as const)
      expect(complaints(stated, stated.replace("P7D", value))).toEqual([
        expect.stringMatching(new RegExp(`^contracts/orders\\.yaml:${line}: .*${why}`)),
      ]);
  });

  test("a window reaches no further back than dates are kept", () => {
    const window = "eventTimeWindow, value: { past: P7D, future: PT5M }";
    const line = lineOf("property: eventTimeWindow") + 1;
    expect(complaints(...withLevel("retention, value: 36, unit: h"))).toEqual([
      expect.stringMatching(
        `^contracts/orders\\.yaml:${line}: events of up to 7 d ago are taken, but .* for 1.5 d .*leave retention out`,
      ),
    ]);
    expect(complaints(window, window.replace("P7D", "P7000D"))).toEqual([]);
    expect(complaints(window, "eventTimeWindow, value: { past: PT0S, future: PT0S }").join()).toContain(
      "takes no event",
    );
    const received = orders
      .replace("source: event }", "source: received }")
      .replace(window, window.replace("P7D", "P90D"));
    expect(compileContract({ file: "contracts/orders.yaml", text: received }, releases).ok).toBe(true);
  });

  test.each([
    [
      "an example beyond its bound",
      "examples: [24.5]",
      "examples: [24.5, 0]",
      "examples: [24.5]",
      "the example is refused by the contract's own rules: expected at least 0.01",
    ],
    [
      "an example of another type",
      "name: coupon,",
      "name: coupon, examples: [a, 3],",
      "name: coupon,",
      "the example is refused by the contract's own rules: expected a string",
    ],
    [
      "a valid value that no event may have",
      "name: channel\n        logicalType: string",
      "name: channel\n        logicalType: string\n        logicalTypeOptions: { maxLength: 5 }",
      "validValues: [web",
      'the valid value "mobile" is refused by the contract\'s own rules',
    ],
    [
      "an example event that breaks a rule",
      "abs(event.amount",
      "1.0 + abs(event.amount",
      "abs(event.amount",
      'give the fields it reads "examples" that keep it',
    ],
  ])("%s is refused where it stands", (_what, from, to, where, message) => {
    const found = complaints(from, to);
    expect(found).toEqual([expect.stringContaining(message)]);
    const line = Number(/^contracts\/orders\.yaml:(\d+): /.exec(found[0] ?? "")?.[1]);
    // The rule begins a few lines above its expression.
    expect(Math.abs(line - lineOf(where))).toBeLessThan(5);
  });

  test("names that a table or the platform could not have", () => {
    const coupon = / {6}- { name: coupon, .*\n/;
    const found = orders.match(coupon)?.[0] ?? "";
    expect(complaints(coupon, `${found}${found}`).join()).toContain('the field "coupon" is described twice');
    expect(complaints("column: event_date", "column: coupon").join()).toContain('column "coupon" is also a field');
    for (const name of ["ledger", "orders_dlq", "order__s", "Orders", "o".repeat(60)])
      expect(complaints("- name: orders", `- name: ${name}`).join()).toMatch(
        new RegExp(`^contracts/orders\\.yaml:\\d+: .*"${name}"`),
      );
  });

  test("all problems of a file are reported together", () => {
    const text = orders.replace("name: coupon,", "name: voucher,").replace("value: [event_id]", "value: [nope]");
    const compiled = compileContract({ file: "contracts/orders.yaml", text }, releases);
    expect(compiled.ok ? 0 : compiled.problems.length).toBeGreaterThan(1);
  });
});
