import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { command } from "../../../../tools/cli/dead-letters.ts";
import { createHarness, deadLetters, type Harness, order } from "../../gateway/harness.ts";
import { land } from "../../gateway/land.ts";
import { printedBy } from "./printed-by.ts";

let harness: Harness;
beforeEach(() => {
  harness = createHarness();
  vi.stubGlobal("fetch", (url: URL, init: RequestInit) => harness.bare(`${url.pathname}${url.search}`, init));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const run = (line: string) => printedBy(command, line);

/** Ids of two orders without an id, and one that stays wrong. */
async function refused(): Promise<string[]> {
  const { event_id: _, ...nameless } = order("");
  await harness.post("/v1/topics/orders/events", [nameless, nameless, order("bad", { currency: "XXX" })]);
  const ids = deadLetters(harness).map((letter) => String(letter["dlq_id"]));
  await land(harness);
  return ids;
}

describe("sluice dead-letters", () => {
  test("lists with filters, as a table or as JSON", async () => {
    const [first = "", , last = ""] = await refused();
    const table = await run("list --topic orders");
    expect(table).toContain(first);
    expect(table).toMatch(/INVALID_ENUM +\/currency/);
    expect(table).toContain("3 dead letters");
    const json = JSON.parse(await run("list --error-type INVALID_ENUM --json"));
    expect(json).toEqual([expect.objectContaining({ dlq_id: last })]);
    expect(await run("list --limit 2")).toContain("there are more");
    expect(await run("list --from 2026-11-22 --to 2026-11-23")).toContain("No dead letters");
  });

  test("shows one whole", async () => {
    const [, , last = ""] = await refused();
    const shown = await run(`show ${last} --date 2026-11-21`);
    expect(shown).toContain(JSON.stringify(order("bad", { currency: "XXX" })));
    await expect(run("show 00")).rejects.toThrow(/no dead letter "00".*last seven days/);
  });

  test("replays: first what would happen and how to do it, then it is done", async () => {
    const [first = ""] = await refused();
    const dry = await run("replay --topic orders");
    expect(dry).toMatch(/2 {2}would be accepted\n +1 {2}would be refused again\n +1 {2}INVALID_ENUM at \/currency/);
    expect(dry).toContain("sluice dead-letters replay --topic orders --yes");
    expect(harness.sent).toEqual([]);
    expect(await run("replay --topic orders --yes")).toMatch(/2 {2}accepted and durable\n +1 {2}refused again/);
    expect(harness.sent.flatMap(({ envelopes }) => envelopes)).toHaveLength(3);
    const json = JSON.parse(await run(`replay ${first} 00 --json`));
    expect(json.results.map(({ status }: { status: string }) => status)).toEqual(["accepted", "not_found"]);
  });

  test("replays: what was not found, and where --max cut the search", async () => {
    const [first = ""] = await refused();
    await expect(run("replay 00 01")).rejects.toThrow("no dead letter of these ids");
    expect(await run(`replay ${first} 00`)).toMatch(/1 {2}not found\n\nNot found: .*\n\nNothing was sent. To do it:/);
    const told = vi.spyOn(console, "error");
    await run("replay --topic orders --max 2");
    expect(told.mock.calls.flat().join("\n")).toMatch(/Stopped at --max 2: there may be more/);
    await expect(run(`show ${first} --date 2026-02-30`)).rejects.toThrow("expected a date such as 2026-01-31");
  });

  test("says what it needs", async () => {
    await expect(run("replay")).rejects.toThrow("takes ids, or --topic");
    await expect(run("replay 00 --topic orders")).rejects.toThrow("takes ids, or --topic");
    await expect(run("show")).rejects.toThrow("--help");
    await expect(run("list --topic nope")).rejects.toThrow('no topic "nope"');
    expect(command.help).toContain("--accept-masked");
  });
});
