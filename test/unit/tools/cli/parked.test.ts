import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { metadataOf, parkedKey } from "../../../../lakehouse/upkeep/parked/parked-message.ts";
import { command } from "../../../../tools/cli/parked.ts";
import { addKey, createHarness, type Harness, keyNamed } from "../../gateway/harness.ts";
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

async function park(queue: string, id: string, cause: "data" | "system"): Promise<void> {
  const customMetadata = metadataOf({ cause, detail: `why ${id}`, attempts: 7, sent: "2026-11-20T00:00:00.000Z" });
  await harness.bucket.put(parkedKey(queue, id), Uint8Array.of(1, 2, 3), { customMetadata });
}

describe("sluice parked", () => {
  test("lists by queue and cause", async () => {
    await park("sluice-local-orders", "m1", "system");
    await park("sluice-local-orders", "m2", "data");
    await park("sluice-local-weather-dlq", "m3", "system");
    const everything = await run("list");
    expect(everything).toMatch(/sluice-local-orders\/m1 +system +why m1 +7 +2026-11-20T00:00:00.000Z/);
    expect(everything).toContain("3 parked messages");
    expect(await run("list --cause data")).toContain("1 parked message");
    const json = JSON.parse(await run("list --queue sluice-local-weather-dlq --json"));
    expect(json).toEqual([expect.objectContaining({ id: "sluice-local-weather-dlq/m3", size: 3, redrives: 0 })]);
  });

  test("retries by id, by queue, or all of the system's faults; wrong bytes only where that is said", async () => {
    for (let i = 0; i < 12; i++) await park("sluice-local-orders", `m${i}`, "system");
    await park("sluice-local-orders", "poison", "data");
    expect(await run("retry sluice-local-orders/m1 sluice-local-orders/none")).toMatch(/1 {2}sent\n +1 {2}not_found/);
    expect(await run("retry --all")).toBe("      11  sent");
    expect(await run("retry --queue sluice-local-orders")).toContain("nothing to retry");
    expect(await run("retry --queue sluice-local-orders --cause data --json")).toContain('"outcome": "sent"');
  });

  test("shows one, and takes slices for what may go on by itself", async () => {
    const customMetadata = metadataOf({ cause: "data", detail: "no text", attempts: 0, sent: "" });
    await harness.bucket.put("parked/slices/orders/m1-0-2", Uint8Array.of(1, 2, 3), { customMetadata });
    await park("sluice-local-orders", "poison", "data");
    const shown = JSON.parse(await run("show slices/orders/m1-0-2"));
    expect(shown).toMatchObject({ kind: "slice", detail: "no text", header: null, problem: expect.any(String) });
    await expect(run("show slices/orders/none")).rejects.toThrow("404");
    expect(await run("list --queue slices")).toContain("1 parked message");
    expect(await run("retry --all")).toBe("       1  sent");
    expect(await run("list")).toContain("poison");
  });

  test("fails when something could not be sent on, or nothing was found", async () => {
    await park("sluice-local-orders", "m1", "system");
    harness.bucket.failures.push(undefined, new Error("delete: internal error"));
    await expect(run("retry --all")).rejects.toMatchObject({ code: "SEND_FAILED" });
    await expect(run("retry sluice-local-orders/none")).rejects.toThrow("sluice parked list says what is");
    expect(await run("retry --all")).toBe("       1  sent");
    await expect(run("show sluice-local-orders/m1")).rejects.toThrow(/404: nothing is parked.*\nList what is parked/);
  });

  test("says what it needs; needs a key that may operate the platform", async () => {
    for (const line of ["retry", "retry a/b --all", "retry --all --queue q", "list extra", "toss"]) {
      await expect(run(line)).rejects.toThrow(/sluice parked/);
    }
    await expect(run("list --cause other")).rejects.toThrow("data or system");
    addKey(harness.db, "reader", ["*:read"]);
    await expect(run(`list --key ${keyNamed("reader")}`)).rejects.toThrow('403: the key needs the scope "*:admin"');
  });
});
