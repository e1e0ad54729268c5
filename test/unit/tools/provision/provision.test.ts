import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readMaskingKeys } from "../../../../gateway/masking/keyring.ts";
import { dryRun } from "../../../../tools/cli/provision.ts";
import { provision } from "../../../../tools/provision/apply.ts";
import { withDatabaseId } from "../../../../tools/provision/database-id.ts";
import { type Environment, readEnvironment } from "../../../../tools/provision/environment.ts";
import { keyringsIn } from "../../../../tools/provision/keyrings.ts";
import { planOf } from "../../../../tools/provision/plan.ts";
import { type FakeAccount, fakeAccount } from "./fake-wrangler.ts";

const root = resolve(import.meta.dirname, "../../../..");
const dir = mkdtempSync(join(tmpdir(), "sluice-provision-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const staging: Environment = {
  ...(await readEnvironment(root, "staging")),
  databases: [{ binding: "DB", name: "sluice-staging", id: "00000000-0000-0000-0000-000000000002" }],
};
let seed = 0;
const bytes = (count: number) => new Uint8Array(count).fill(++seed);

/** A run of `sluice provision`: what it reported, and what it wrote into wrangler.toml. */
async function run(account: FakeAccount, environment = staging, keysFile?: string, webhook?: string) {
  const outcomes: string[] = [];
  const ids: string[] = [];
  await provision(environment, {
    wrangler: account.wrangler,
    keyrings: keyringsIn(keysFile, bytes),
    optionalSecrets: webhook === undefined ? {} : { ALERT_WEBHOOK_URL: webhook },
    writeDatabaseId: (binding, id) => ids.push(`${binding} ${id}`),
    report: (step, outcome) => outcomes.push(`${step.kind} ${step.name} ${outcome}`),
  });
  return { outcomes, ids };
}

describe("provision", () => {
  it("makes everything that wrangler.toml names, in an empty account", async () => {
    const account = fakeAccount(staging.worker);
    const { outcomes, ids } = await run(account);
    expect([...account.queues].sort()).toEqual(staging.queues);
    expect(staging.queues).toContain("sluice-staging-builds-dlq");
    expect([...account.buckets]).toEqual(["sluice-staging-lake"]);
    expect(ids).toEqual([`DB ${account.databases.get("sluice-staging")}`]);
    expect(account.migrated).toEqual(["DB"]);
    expect(outcomes.filter((line) => line.endsWith("created"))).toHaveLength(staging.queues.length + 4);
    expect(outcomes.slice(-5)).toEqual([
      "migrations DB done",
      "secret MASKING_KEYS created",
      "secret PAYLOAD_KEYS created",
      "optional secret ALERT_WEBHOOK_URL not set",
      "optional secret BUILDER_KEY not set",
    ]);
  });

  it("sets secrets that the gateway takes, each its own, on standard input only", async () => {
    const account = fakeAccount(staging.worker);
    await run(account);
    const values = Object.fromEntries(account.secrets ?? []);
    expect(values["MASKING_KEYS"]).not.toBe(values["PAYLOAD_KEYS"]);
    expect(readMaskingKeys(values, false)).toMatchObject({ ok: true });
    for (const value of Object.values(values)) expect(account.commands.join("\n")).not.toContain(value);
  });

  it("sets the webhook's address only where it is given, and not over another", async () => {
    const account = fakeAccount(staging.worker);
    await run(account);
    expect([...(account.secrets ?? [])].map(([name]) => name)).toEqual(["MASKING_KEYS", "PAYLOAD_KEYS"]);
    await run(account, staging, undefined, "https://hooks.example/1");
    await run(account, staging, undefined, "https://hooks.example/2");
    expect(account.secrets?.get("ALERT_WEBHOOK_URL")).toBe("https://hooks.example/1");
    expect(account.commands.join("\n")).not.toContain("hooks.example");
  });

  it("a second run creates nothing and keeps the secrets", async () => {
    const account = fakeAccount(staging.worker);
    const { ids } = await run(account);
    const secrets = new Map(account.secrets);
    account.commands.length = 0;
    const [, id = ""] = ids[0]?.split(" ") ?? [];
    const again = await run(account, { ...staging, databases: [{ binding: "DB", name: "sluice-staging", id }] });
    expect(account.commands.filter((line) => /create|put/.test(line))).toEqual([]);
    expect(again.ids).toEqual([]);
    expect(again.outcomes.filter((line) => !line.endsWith("exists"))).toEqual([
      "migrations DB done",
      "optional secret ALERT_WEBHOOK_URL not set",
      "optional secret BUILDER_KEY not set",
    ]);
    expect(account.secrets).toEqual(secrets);
  });

  it("goes on after a failure at any step, and says what to do", async () => {
    for (const prefix of [
      "queues list",
      "queues create sluice-staging-orders-dlq",
      "r2 bucket create",
      "d1 list",
      "d1 create",
      "d1 migrations",
      "secret list",
      "secret put PAYLOAD",
    ]) {
      const account = fakeAccount(staging.worker);
      account.fail = { prefix, said: "fetch failed" };
      await expect(run(account)).rejects.toMatchObject({
        code: "PROVISION_FAILED",
        message: expect.stringContaining("run the same command again"),
      });
      const masking = account.secrets?.get("MASKING_KEYS");
      account.fail = undefined;
      await run(account);
      expect([account.queues.size, account.secrets?.size]).toEqual([staging.queues.length, 2]);
      if (masking !== undefined) expect(account.secrets?.get("MASKING_KEYS")).toBe(masking);
    }
  });

  it("sets no secret while it cannot know which are set", async () => {
    const account = fakeAccount(staging.worker);
    account.secrets = new Map([["MASKING_KEYS", "old"]]);
    account.fail = {
      prefix: "secret list",
      said: "A request to the Cloudflare API failed. Authentication error [code: 10000]",
    };
    await expect(run(account)).rejects.toThrow(/wrangler login/);
    expect(account.secrets.get("MASKING_KEYS")).toBe("old");
  });

  it("a queue that somebody made meanwhile is as good; a database of another account is not touched", async () => {
    const account = fakeAccount(staging.worker);
    const { wrangler } = account;
    const raced = {
      ...account,
      wrangler: async (args: readonly string[], input?: string) => {
        if (args[1] === "create" && args[0] === "queues") account.queues.add(args[2] ?? "");
        return wrangler(args, input);
      },
    };
    expect((await run(raced)).outcomes[0]).toMatch(/exists$/);
    const elsewhere = {
      ...staging,
      databases: [{ binding: "DB", name: "sluice-staging", id: "7e57da7a-0000-4000-8000-000000000000" }],
    };
    const empty = fakeAccount(staging.worker);
    await expect(run(empty, elsewhere)).rejects.toThrow(/another account/);
    expect(empty.databases.size).toBe(0);
  });

  it("keeps a copy of the keys, readable by its owner, and uses what it holds", async () => {
    const file = join(dir, "keys.json");
    const account = fakeAccount(staging.worker);
    await run(account, staging, file);
    const copy = JSON.parse(readFileSync(file, "utf8"));
    expect(copy).toEqual(Object.fromEntries(account.secrets ?? []));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const other = fakeAccount(staging.worker);
    await run(other, staging, file);
    expect(Object.fromEntries(other.secrets ?? [])).toEqual(copy);
  });

  it("the dry run shows every command and no key", () => {
    const lines = dryRun(planOf(staging), "staging");
    expect(lines.every((line) => /^npx wrangler .* --env staging\b/.test(line))).toBe(true);
    expect(lines).toContain("npx wrangler queues create sluice-staging-orders-dlq --env staging");
    expect(lines.filter((line) => line.includes("secret put"))).toHaveLength(4);
  });
});

describe("wrangler.toml", () => {
  const toml = readFileSync(join(root, "wrangler.toml"), "utf8");

  it("gets the id in one line, of the environment and binding that are meant", () => {
    const changed = withDatabaseId(toml, "staging", "DB", "abc");
    const [before, after] = [toml.split("\n"), changed.split("\n")];
    const differing = before.flatMap((line, at) => (line === after[at] ? [] : [at]));
    expect(after).toHaveLength(before.length);
    expect(differing.map((at) => after[at])).toEqual(['database_id = "abc"']);
    const sections = after.slice(0, differing[0]).filter((line) => line.startsWith("[["));
    expect(sections.at(-1)).toBe("[[env.staging.d1_databases]]");
    expect(() => withDatabaseId(toml, "staging", "OTHER", "abc")).toThrow(RangeError);
  });

  it("names its environments when asked for another", async () => {
    await expect(readEnvironment(root, "local")).rejects.toThrow("--env is one of staging, production");
  });
});
