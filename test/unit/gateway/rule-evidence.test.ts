/** What RULE_VIOLATION says: the rule's expression and the values it read, and of a masked field no more than its kind. */
import { Environment } from "@marcbachmann/cel-js";
import { describe, expect, test } from "vitest";
import { exampleEvent } from "../../../contracts/documents/example-event.ts";
import { contractOf } from "../../../contracts/registry.ts";
import { registerRuleFunctions } from "../../../contracts/rule-functions.ts";
import { describe as describeEvent } from "../../../gateway/admit/describe.ts";
import { compilePlan } from "../../../gateway/admit/plan.ts";
import { compileRules } from "../../../gateway/admit/record-rules.ts";
import { fieldsRead } from "../../../gateway/admit/rule-evidence.ts";
import { codecsOf } from "../../../schemas/codecs.ts";

/** The details of a topic's example event with `changes`, under rules with these expressions, or the contract's own. */
function details(topic: string, changes: Readonly<Record<string, unknown>>, expressions?: readonly string[]): string[] {
  const contract = contractOf(topic);
  const codec = codecsOf(topic).at(-1);
  if (contract === undefined || codec === undefined) throw new Error(`no topic ${topic}`);
  const rules =
    expressions?.map((expression, at) => ({ id: `r${at}`, pointer: "", description: `Rule ${at}`, expression })) ??
    contract.rules;
  const plan = compilePlan(contract, codec.schema);
  const event = { ...exampleEvent(contract, codec, { now: Date.now(), id: "evidence" }), ...changes };
  const demands = { topic, plan, unknownFields: "keep" as const, rules: compileRules(rules, plan), window: null };
  return describeEvent(event, demands).map(({ error_type, detail }) => {
    expect(error_type).toBe("RULE_VIOLATION");
    return detail;
  });
}

describe("the fields a rule reads", () => {
  const environment = registerRuleFunctions(new Environment().registerVariable("event", "map"));
  test.each([
    ["has(event.a.b) && event.c == 'event.d'", ["a.b", "c"]],
    ["event.items.map(i, i.q * event.k).sum() > event.c || event.c > 1", ["items", "k", "c"]],
    ["event.x['y'] in [event.z, size(event.w)] ? true : -event.n < 1", ["x", "z", "w", "n"]],
    ["size(event) > 1 || event['x'] == 1", [""]],
  ])("%s", (expression, paths) => {
    expect(fieldsRead(environment.parse(expression).ast).map((path) => path.join("."))).toEqual(paths);
  });
});

test("the detail has what was expected and the values that were there", () => {
  expect(details("app_events", { platform: "ios", app_version: undefined })).toEqual([
    `A mobile app says its version: expected event.platform == 'web' || has(event.app_version), got platform the string "ios", app_version nothing`,
  ]);
  const error = { code: "E1", fatal: true };
  expect(details("app_events", { error }, ["event.error.fatal == false", "has(event.duration_ms)"])).toEqual([
    "Rule 0: expected event.error.fatal == false, got error.fatal the boolean true",
    "Rule 1: expected has(event.duration_ms), got duration_ms nothing",
  ]);
});

test("a rule that cannot be evaluated says so, and shows what it read", () => {
  const [detail] = details("app_events", { duration_ms: null }, ["event.duration_ms > 5"]);
  expect(detail).toMatch(
    /^Rule 0 \(the rule cannot be evaluated: .+\): expected event\.duration_ms > 5, got duration_ms null$/,
  );
});

test("masked fields are never quoted, the others are", () => {
  const masked = { email: "bird@secret.example", phone: "+46700000001", address: "1 Secret Street" };
  const [detail] = details("users", { ...masked, status: "deleted" });
  expect(detail).toContain(
    "A deleted profile has no e-mail, phone or address left: expected event.status != 'deleted'",
  );
  expect(detail).toContain('got status the string "deleted", email a masked value (string), phone a masked value');
  const unknown = details("users", masked, ["event.email == 'x'", "event.address.contains(event.phone)"]);
  const all = JSON.stringify([detail, unknown]);
  for (const value of ["bird", "secret", "Secret", "4670"]) expect(all).not.toContain(value);
});

test("values come before a long expression, and the whole stays short", () => {
  const long = `event.duration_ms > 5 && ${Array.from({ length: 40 }, () => "event.platform != 'x'").join(" && ")}`;
  const [detail = ""] = details("app_events", { duration_ms: 4, screen: `/${"y".repeat(400)}` }, [
    `${long} && event.screen != ''`,
  ]);
  expect(detail.length).toBeLessThanOrEqual(300);
  expect(detail).toContain("…, got duration_ms the number 4, platform the string");
});
