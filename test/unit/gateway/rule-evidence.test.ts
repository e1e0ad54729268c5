/** What RULE_VIOLATION says: the rule's expression and the values it read, and of a masked field no more than its kind. */
import { expect, test } from "vitest";
import { exampleEvent } from "../../../contracts/documents/example-event.ts";
import { contractOf } from "../../../contracts/registry.ts";
import { describe as describeEvent } from "../../../gateway/admit/describe.ts";
import { compilePlan } from "../../../gateway/admit/plan.ts";
import { compileRules } from "../../../gateway/admit/record-rules.ts";
import { codecsOf } from "../../../schemas/codecs.ts";
import { checkRule } from "../../../tools/build/contracts/rules/check-rule.ts";

/** The details of a topic's example event with `changes`, under rules with these expressions, or the contract's own. */
function details(topic: string, changes: Readonly<Record<string, unknown>>, expressions?: readonly string[]): string[] {
  const contract = contractOf(topic);
  const codec = codecsOf(topic).at(-1);
  if (contract === undefined || codec === undefined) throw new Error(`no topic ${topic}`);
  const rules =
    expressions?.map((expression, at) => ({
      id: `r${at}`,
      pointer: "",
      description: `Rule ${at}`,
      expression,
      program: checkRule(expression, contract.fields),
    })) ?? contract.rules;
  const plan = compilePlan(contract, codec.schema);
  const event = { ...exampleEvent(contract, codec, { now: Date.now(), id: "evidence" }), ...changes };
  const demands = {
    topic,
    plan,
    unknownFields: "keep" as const,
    rules: compileRules({ ...contract, rules }, plan),
    window: null,
  };
  return describeEvent(event, demands).map(({ error_type, detail }) => {
    expect(error_type).toBe("RULE_VIOLATION");
    return detail;
  });
}

test("the detail has what was expected and the values that were there", () => {
  expect(details("app_events", { platform: "ios", app_version: undefined })).toEqual([
    `A mobile app says its version: expected event.platform == 'web' || has(event.app_version), got platform the string "ios", app_version nothing`,
  ]);
  const error = { code: "E1", fatal: true };
  expect(
    details("app_events", { error }, ["has(event.error) && event.error.fatal == false", "has(event.duration_ms)"]),
  ).toEqual([
    "Rule 0: expected has(event.error) && event.error.fatal == false, got error.fatal the boolean true",
    "Rule 1: expected has(event.duration_ms), got duration_ms nothing",
  ]);
});

test("a rule that cannot be evaluated says so, and shows what it read", () => {
  const rule = "!has(event.duration_ms) || 5 / event.duration_ms > 1";
  const [detail] = details("app_events", { duration_ms: 0 }, [rule]);
  expect(detail).toBe(
    `Rule 0 (the rule cannot be evaluated: 5 / event.duration_ms: division by zero, event.duration_ms is 0): expected ${rule}, got duration_ms the number 0`,
  );
});

test("masked fields are never quoted, the others are", () => {
  const masked = { email: "bird@secret.example", phone: "+46700000001", address: "1 Secret Street" };
  const [detail] = details("users", { ...masked, status: "deleted" });
  expect(detail).toContain(
    "A deleted profile has no e-mail, phone or address left: expected event.status != 'deleted'",
  );
  expect(detail).toContain('got status the string "deleted", email a masked value (string), phone a masked value');
  const unknown = details("users", masked, [
    "has(event.email) && event.email == 'x'",
    "has(event.address) && has(event.phone) && event.address.contains(event.phone)",
  ]);
  const all = JSON.stringify([detail, unknown]);
  for (const value of ["bird", "secret", "Secret", "4670"]) expect(all).not.toContain(value);
});

test("values come before a long expression, and the whole stays short", () => {
  const long = `has(event.duration_ms) && event.duration_ms > 5 && ${Array.from({ length: 40 }, () => "event.platform != 'web'").join(" && ")}`;
  const [detail = ""] = details("app_events", { duration_ms: 4, screen: `/${"y".repeat(400)}` }, [
    `${long} && event.screen != ''`,
  ]);
  expect(detail.length).toBeLessThanOrEqual(300);
  expect(detail).toContain("…, got duration_ms the number 4, platform the string");
});
