/** What stands in a real lake, through a proposed contract: nothing is stored, and the counts are those of what was sent. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Contract } from "../../contracts/contract.ts";
import { exampleEvent } from "../../contracts/documents/example-event.ts";
import { contractOf } from "../../contracts/registry.ts";
import { codecsOf } from "../../schemas/codecs.ts";
import { tryContract } from "../../tools/contracts-trial/trial.ts";
import { bindingsSource } from "../../tools/lake/source.ts";
import { order } from "./events.ts";
import { bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform();
});
afterAll(() => at.close());

test("recent orders and dead letters through a contract with other bounds", async () => {
  const stored = contractOf("orders");
  if (stored === undefined) throw new Error("there is no contract for orders");
  const v1 = { headers: { "sluice-schema-version": "1" } };
  await at.post("orders", JSON.stringify([order("old-1", { gift: "yes" })]), v1);
  const events = [
    order("ok-1"),
    order("dollars-1", { currency: "USD" }),
    order("dollars-2", { currency: "USD" }),
    order("unknown-currency", { currency: "XYZ" }),
    order("broken", { amount: "much" }),
  ];
  expect((await at.post("orders", JSON.stringify(events))).status).toBe(207);
  await at.until("all in bronze", async () => {
    const [accepted, refused] = [
      await bronzeRows(at.platform, "orders"),
      await bronzeRows(at.platform, "dead_letters"),
    ];
    return accepted >= 4 && refused >= 2;
  });

  const contract: Contract = {
    ...stored,
    version: "9.0.0",
    fields: stored.fields.map((rule) => (rule.name === "currency" ? { ...rule, accepted: ["EUR", "XYZ"] } : rule)),
  };
  const steps: [number, number][] = [];
  const run = (since: number) =>
    tryContract({
      source: bindingsSource(at.platform.db, at.platform.lake),
      proposal: { contract, releases: codecsOf("orders"), version: null },
      stored,
      since,
      onProgress: (rows, total) => steps.push([rows, total]),
    });
  const report = await run((Date.now() - 3_600_000) * 1_000);
  expect(report.accepted).toEqual({ total: 4, pass: 2, new_failures: 2 });
  expect(report.failures).toMatchObject([{ error_type: "INVALID_ENUM", pointer: "/currency", events: 2 }]);
  expect(report.failures[0]?.examples.toSorted()).toEqual(["dollars-1", "dollars-2"]);
  expect(report.dead_letters).toEqual({ total: 2, newly_passing: 1, still_failing: 1, not_judged: 0 });
  expect(report.newly_passing_examples).toEqual(["unknown-currency"]);
  expect(steps.at(-1)).toEqual([6, 6]);

  const later = await run((Date.now() + 60_000) * 1_000);
  expect([later.accepted.total, later.dead_letters.total]).toEqual([0, 0]);
  expect(at.errors).toEqual([]);
});

test("masked values are not held against the rules of the clear ones", async () => {
  const stored = contractOf("users");
  const releases = codecsOf("users");
  const release = releases.at(-1);
  if (stored === undefined || release === undefined) throw new Error("there is no contract for users");
  const example = (id: string) => exampleEvent(stored, release, { now: Date.now() - 60_000, id });
  const good = example("00000000-0000-4000-8000-000000000001");
  const bad = { ...example("00000000-0000-4000-8000-000000000002"), email: "no address" };
  const answer = await at.post("users", JSON.stringify([good, bad]));
  expect([answer.json.accepted, answer.json.rejected]).toEqual([1, 1]);
  await at.until("both in bronze", async () => {
    const [accepted, refused] = [await bronzeRows(at.platform, "users"), await bronzeRows(at.platform, "dead_letters")];
    return accepted >= 1 && refused >= 3;
  });
  const report = await tryContract({
    source: bindingsSource(at.platform.db, at.platform.lake),
    proposal: { contract: stored, releases, version: null },
    stored,
    since: (Date.now() - 3_600_000) * 1_000,
    onProgress: () => {},
  });
  expect(report.accepted).toEqual({ total: 1, pass: 1, new_failures: 0 });
  expect(report.dead_letters).toEqual({ total: 1, newly_passing: 0, still_failing: 0, not_judged: 1 });
  expect(JSON.stringify(report)).not.toContain("no address");
});
