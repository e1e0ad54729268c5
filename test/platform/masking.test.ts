/** Promise P10 on the real bundle: personal data goes in at the front door and is found nowhere behind it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { maskedValue, unseal } from "../../gateway/masking/masker.ts";
import { localKeys } from "../oracle/local-masker.ts";
import { allBuilt, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

const CANARY = "cAnArY-bird";
/** The same in base64, at each of the three places where it may begin. */
const needles = [
  CANARY,
  ...[0, 1, 2].map((before) =>
    Buffer.from(`${"x".repeat(before)}${CANARY}`)
      .toString("base64")
      .slice(4, 12),
  ),
];
const answers: string[] = [];

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform();
});
afterAll(() => at.close());

function user(id: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const now = new Date().toISOString();
  return {
    event_id: id,
    user_id: "cus_00042",
    event_timestamp: now,
    status: "active",
    tier: "basic",
    email: `${CANARY}@Example.com`,
    phone: "+46123456789",
    address: `1 ${CANARY} Street`,
    country: "SE",
    signed_up_on: "2024-02-29",
    marketing_consent: true,
    updated_at: now,
    ...changes,
  };
}

async function post(body: string, type = "application/json", query = "?results=all", headers = {}): Promise<number> {
  const answer = await at.post("users", body, { type, query, headers });
  answers.push(answer.text, JSON.stringify([...answer.headers]));
  return answer.status;
}

function clean(content: string | Uint8Array, where: string): void {
  const text = typeof content === "string" ? content : Buffer.from(content).toString("latin1");
  for (const needle of needles) expect(text.includes(needle), `${needle} in ${where}`).toBe(false);
}

describe("users", () => {
  test("are taken, refused and kept", async () => {
    const good = [user("u-1"), user("u-2", { nickname: CANARY }), user("u-3", { email: `${CANARY}@other.example` })];
    expect(await post(JSON.stringify(good))).toBe(202);
    const bad = [
      user("u-4", { phone: CANARY }),
      user("u-5", { email: CANARY, address: { street: CANARY }, [CANARY]: CANARY }),
      user("u-6", { status: CANARY, tier: 1, note: CANARY.repeat(5_000) }),
    ].map((event) => JSON.stringify(event));
    // A wrong tier is shown, a status is no personal data: only masked and unknown fields are.
    bad[2] = bad[2]?.replace(`"status":"${CANARY}"`, '"status":"gone"') ?? "";
    expect(await post([...bad, `{"email":"${CANARY}`, `"${CANARY}"`].join("\n"), "application/x-ndjson")).toBe(422);
    expect(await post(`[{"email":"${CANARY}"}, ${CANARY}]`)).toBe(400);
    expect(await post(JSON.stringify(user("u-7")), "application/json", "?dry_run=true&results=all")).toBe(202);
    // A receipt keeps messages and answer for a day.
    const receipt = { "Idempotency-Key": "masking-1" };
    expect(await post(JSON.stringify(user("u-8", { note: CANARY })), "application/json", "", receipt)).toBe(202);
    await at.until("four users in bronze", async () => (await bronzeRows(at.platform, "users")) >= 4);
    await at.until("six dead letters in bronze", async () => (await bronzeRows(at.platform, "dead_letters")) >= 6);
    await at.until("everything built", () => allBuilt(at.platform));
  });

  test("join by their masked values, which workerd computes as Node does", async () => {
    const rows = await at.rows("SELECT event_id, email, phone, address, _extra FROM bronze_users ORDER BY event_id");
    const { masking, payload } = localKeys();
    const email = maskedValue("email", `${CANARY}@Example.com`, masking);
    const other = email.replace("example.com", "other.example");
    expect(rows.map((row) => row["email"])).toEqual([email, email, other, email]);
    for (const row of rows) {
      expect(row["phone"]).toBe(maskedValue("hmac", "+46123456789", masking));
      expect(row["address"]).toBe("sluice:redact:v1");
    }
    const sealed: string = JSON.parse(String(rows[1]?.["_extra"]));
    expect(Buffer.from(unseal("users", sealed, payload)).toString()).toBe(JSON.stringify({ nickname: CANARY }));
  });

  test("leave no trace in tables, as DuckDB decodes them", async () => {
    const lake = await at.lake();
    try {
      expect(lake.views.map((view) => view.name)).toEqual(expect.arrayContaining(["bronze_users", "dead_letters"]));
      for (const { name } of lake.views) {
        const rows = await lake.connection.runAndReadAll(`SELECT to_json(t)::VARCHAR AS row FROM "${name}" t`);
        for (const [row] of rows.getRows()) clean(String(row), name);
      }
      const letters = await lake.connection.runAndReadAll(
        "SELECT payload_encoding, count(*)::INT FROM dead_letters GROUP BY 1 ORDER BY 1",
      );
      expect(letters.getRows()).toEqual([
        ["aes-gcm", 3],
        ["utf-8", 3],
      ]);
    } finally {
      lake.close();
    }
  });

  test("leave no trace in objects, databases, logs and answers", async () => {
    let objects = 0;
    let cursor: string | undefined;
    do {
      const page = await at.platform.lake.list(cursor === undefined ? {} : { cursor });
      for (const { key } of page.objects) {
        const object = await at.platform.lake.get(key);
        if (object === null) continue;
        objects++;
        clean(key, "a key");
        clean(new Uint8Array(await object.arrayBuffer()), key);
      }
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
    expect(objects).toBeGreaterThan(2);
    for (const text of answers) clean(text, "an answer");
    for (const line of at.logs) clean(line, "the log");
    expect(at.logs.some((line) => line.includes('"topic":"users"'))).toBe(true);
    // D1, the Durable Objects' databases and everything else that outlives the request, as it lies on the disk.
    const files = readdirSync(at.stateDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.some((file) => file.name.endsWith(".sqlite"))).toBe(true);
    for (const file of files) {
      const path = join(file.parentPath, file.name);
      clean(readFileSync(path), path);
    }
    expect(at.errors).toEqual([]);
  });
});
