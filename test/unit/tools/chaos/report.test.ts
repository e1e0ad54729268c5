/** What a chaos run calls a success, and its last line. */
import { expect, test } from "vitest";
import { type ChaosReport, isOk, printReport } from "../../../../tools/chaos/report.ts";

const RIGHT = { silverWrong: 0, goldWrong: 0, halfPublished: 0 };
const verdict = { inBronze: 60, lost: 0, doubled: 0, unknown: 0, unregistered: 0, stuck: [], tables: RIGHT };
const platform = {
  ...{ kills: 1, sent: 100, accepted: 50, verdict },
  ...{ faults: { "LAKE.put fail": 2, "DB.all down": 5 }, planned: { "LAKE.put fail": 3, "LAKE.put lose": 1 } },
  ...{ statuses: { 202: 1 }, reads: { 200: 1, "503 CATALOG_UNAVAILABLE": 2 } },
};
const report: ChaosReport = {
  ...{ seed: 7, seconds: 3 },
  schedules: { schedules: 10, faults: { crash: 4 }, failure: null },
  platform,
};
const withVerdict = (changed: Partial<typeof verdict> | { stuck: string[] } | { tables: null }): ChaosReport => ({
  ...report,
  platform: { ...platform, verdict: { ...verdict, ...changed } },
});

test("one wrong figure is a failure, and so is a run in which nothing was accepted", () => {
  expect(isOk(report)).toBe(true);
  const wrong = [
    withVerdict({ lost: 1 }),
    withVerdict({ doubled: 1 }),
    withVerdict({ unknown: 1 }),
    withVerdict({ unregistered: 1 }),
    withVerdict({ stuck: ["a buffer"] }),
    withVerdict({ tables: null }),
    withVerdict({ tables: { ...RIGHT, silverWrong: 1 } }),
    withVerdict({ tables: { ...RIGHT, goldWrong: 1 } }),
    withVerdict({ tables: { ...RIGHT, halfPublished: 1 } }),
    { ...report, schedules: { ...report.schedules, failure: "seed 1" } },
    { ...report, platform: { ...platform, accepted: 0 } },
  ];
  for (const each of wrong) expect(isOk(each)).toBe(false);
});

test("the last line is JSON with what was done and found", () => {
  const lines: string[] = [];
  printReport(withVerdict({ lost: 2 }), (line) => lines.push(line));
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
    ...{ bench: "chaos", ok: false, seed: 7, schedules: 10, kills: 1, faults: 7, events: 100, accepted: 50 },
    ...{ in_bronze: 60, lost: 2, doubled: 0, unknown: 0, unregistered: 0, stuck: 0 },
    ...{ silver_wrong: 0, gold_wrong: 0, half_published: 0 },
  });
  expect(lines.join("\n")).toMatch(/2 {2}LAKE.put fail \(of 3\)\n/);
});

test("a fault that was planned and never happened is named", () => {
  const lines: string[] = [];
  printReport(report, (line) => lines.push(line));
  expect(lines.filter((line) => line.startsWith("NOT MET"))).toEqual(["NOT MET LAKE.put lose"]);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ ok: true, faults_not_met: 1 });
});
