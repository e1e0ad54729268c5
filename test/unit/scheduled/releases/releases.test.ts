/** What the platform announces of its releases, and that it does so once. */
import { beforeEach, describe, expect, test } from "vitest";
import type { FieldRule } from "../../../../contracts/contract.ts";
import { contracts } from "../../../../contracts/registry.ts";
import { announceReleases } from "../../../../scheduled/releases/announce.ts";
import { announceDrift } from "../../../../scheduled/releases/announce-drift.ts";
import { digestOf, type Release, releaseEvents } from "../../../../scheduled/releases/release-events.ts";
import type { AvroRecord } from "../../../../schemas/avro-schema.ts";
import { codecsOf } from "../../../../schemas/codecs.ts";
import { MAX_UNKNOWN_FIELDS, noteUnknownFields, unknownFieldsOf } from "../../../../sql/statements/unknown-fields.ts";
import { createD1, type D1OnSqlite } from "../../../oracle/d1-on-sqlite.ts";
import { createReceiver, type Receiver, refusals } from "../platform-events/receiver.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const AT = new Date(NOW).toISOString();

const field = (name: string, more: Partial<FieldRule> = {}): FieldRule => ({
  name,
  kind: "string",
  required: true,
  ...more,
});
const record = (fields: AvroRecord["fields"]): AvroRecord => ({ type: "record", name: "Pet", fields });
const v1 = record([
  { name: "id", type: "string" },
  { name: "tags", type: { type: "array", items: record([{ name: "a/b", type: "int" }]) } },
]);
const v2 = record([
  { name: "id", type: "string" },
  { name: "age", type: ["null", "int"], default: null },
  { name: "tags", type: { type: "array", items: record([{ name: "a/b", type: "long" }]) } },
]);
const release = (version: string, fields: readonly FieldRule[], schemas: readonly AvroRecord[]): Release => ({
  contract: { topic: "pets", version, fields, unknownFields: "keep" },
  schemas: schemas.map((schema, i) => ({ id: 100_900 + i, version: i + 1, schema })),
});
const first = release("1.0.0", [field("id")], [v1]);
const announced = { revision: 1, contractVersion: "1.0.0", fields: first.contract.fields, schemaIds: [100_900] };

describe("the events of a release", () => {
  test("a topic's first: each schema and the contract, with every field added", () => {
    const events = releaseEvents(first, null, AT);
    expect(events).toMatchObject([
      {
        change: "schema_released",
        schema_id: 100_900,
        schema_version: 1,
        fields: [
          { pointer: "/id", change: "added", detail: "string" },
          { pointer: "/tags", change: "added", detail: "array" },
          { pointer: "/tags/*", change: "added", detail: "record" },
          { pointer: "/tags/*/a~1b", change: "added", detail: "int" },
        ],
      },
      { change: "contract_released", contract_version: "1.0.0", fields: [{ pointer: "/id", change: "added" }] },
    ]);
    expect(refusals("schema_changes", events, NOW)).toEqual([]);
  });

  test("a new schema version and what the contract says otherwise", () => {
    const second = release("1.1.0", [field("id", { maxLength: 9 }), field("age", { required: false })], [v1, v2]);
    expect(releaseEvents(second, announced, AT)).toMatchObject([
      {
        change: "schema_released",
        schema_version: 2,
        previous_schema_version: 1,
        fields: [
          { pointer: "/age", change: "added", detail: "int, optional" },
          { pointer: "/tags/*/a~1b", change: "changed", detail: "long, was int" },
        ],
      },
      {
        change: "contract_released",
        contract_version: "1.1.0",
        fields: [
          { pointer: "/id", change: "changed", detail: "has maxLength 9, had none" },
          { pointer: "/age", change: "added", detail: "is added, optional" },
        ],
      },
    ]);
  });

  test("nothing changed: none; a version without another field: one; a rollback announces no schema again", () => {
    expect(releaseEvents(first, announced, AT)).toEqual([]);
    expect(releaseEvents(release("1.0.1", [field("id")], [v1]), announced, AT)).toMatchObject([{ fields: [] }]);
    const ahead = { ...announced, revision: 2, contractVersion: "1.1.0", schemaIds: [100_900, 100_901] };
    expect(releaseEvents(first, ahead, AT)).toMatchObject([{ change: "contract_released" }]);
    expect(digestOf(first)).not.toBe(digestOf(release("1.0.0", [field("id")], [v1, v2])));
  });

  test("a contract of very many fields still fits a message", () => {
    const wide = release(
      "1.0.0",
      Array.from({ length: 5_000 }, (_, i) => field(`f${i}`)),
      [v1],
    );
    const [, event] = releaseEvents(wide, null, AT);
    expect(event?.fields.at(-1)).toEqual({ pointer: "/", change: "changed", detail: "and 4800 more" });
    expect(refusals("schema_changes", [event ?? {}], NOW)).toEqual([]);
  });
});

describe("the duty", () => {
  let db: D1OnSqlite;
  let receiver: Receiver;
  const tick = (now = NOW) => announceReleases({ ...receiver, db: db.d1 }, now);
  beforeEach(() => {
    db = createD1();
    receiver = createReceiver();
  });
  const expected = contracts.reduce((sum, { topic }) => sum + 1 + codecsOf(topic).length, 0);

  test("the first deploy announces everything once, in events that the contract admits", async () => {
    expect(await tick()).toEqual({ announced: expected });
    expect(receiver.events).toHaveLength(expected);
    const before = db.queries();
    expect(await tick(NOW + 60_000)).toEqual({ announced: 0 });
    expect(db.queries() - before).toBe(1);
    const events = contracts.flatMap((contract) =>
      releaseEvents({ contract, schemas: codecsOf(contract.topic) }, null, AT),
    );
    expect(refusals("schema_changes", events, NOW)).toEqual([]);
  });

  test("a contract that this bundle changed is announced by what differs", async () => {
    await tick();
    receiver.events.length = 0;
    db.sqlite.exec(`UPDATE announced_releases SET digest = 'other', contract_version = '0.9.0',
      fields = (SELECT json_group_array(json(value)) FROM json_each(fields) WHERE value ->> 'name' <> 'humidity_pct') WHERE topic = 'weather'`);
    expect(await tick(NOW + 1)).toEqual({ announced: 1 });
    expect(receiver.events).toMatchObject([
      { topic: "weather", change: "contract_released", fields: [{ pointer: "/humidity_pct", change: "added" }] },
    ]);
    expect(db.sqlite.prepare("SELECT revision FROM announced_releases WHERE topic = 'weather'").get()).toEqual({
      revision: 2,
    });
  });

  test("a crash between the emission and the record repeats the same ids; a queue that is down loses nothing", async () => {
    receiver.setDown(true);
    await expect(tick()).rejects.toThrow("queue unavailable");
    receiver.setDown(false);
    await tick();
    db.sqlite.exec("DELETE FROM announced_releases");
    await tick(NOW + 60_000);
    expect(receiver.events).toHaveLength(2 * expected);
    expect(new Set(receiver.events.map((event) => event["event_id"])).size).toBe(expected);
  });
});

describe("drift", () => {
  let db: D1OnSqlite;
  let receiver: Receiver;
  const DAY_MS = 86_400_000;
  const tick = (now = NOW) => announceDrift({ ...receiver, db: db.d1 }, now);
  const note = (topic: string, pointers: readonly string[], now = NOW) =>
    db.d1.batch(noteUnknownFields(db.d1, topic, pointers, new Date(now).toISOString()));
  beforeEach(() => {
    db = createD1();
    receiver = createReceiver();
  });

  test("each field is announced once, in an event that the contract admits", async () => {
    await note("orders", ["/note", "/items/*/gift"]);
    await note("users", ["/"]);
    expect(await tick()).toEqual({ drift: 3 });
    await note("orders", ["/note"], NOW + DAY_MS);
    const before = db.queries();
    expect(await tick(NOW + DAY_MS)).toEqual({ drift: 0 });
    expect(db.queries() - before).toBe(1);
    expect(receiver.events).toMatchObject([
      { topic: "orders", change: "drift_seen", fields: [{ pointer: "/items/*/gift", change: "undeclared" }] },
      { topic: "orders", change: "drift_seen", fields: [{ pointer: "/note", detail: "kept in _extra" }] },
      { topic: "users", fields: [{ pointer: "/", detail: expect.stringContaining("sealed") }] },
    ]);
    expect(await unknownFieldsOf(db.d1, "orders")).toMatchObject([
      { pointer: "/items/*/gift", last_seen: AT.slice(0, 10) },
      { pointer: "/note", first_seen: AT, last_seen: new Date(NOW + DAY_MS).toISOString().slice(0, 10) },
    ]);
  });

  test("a crash between the emission and the record repeats the same ids", async () => {
    await note("orders", ["/note"]);
    receiver.setDown(true);
    await expect(tick()).rejects.toThrow("queue unavailable");
    receiver.setDown(false);
    await tick();
    db.sqlite.exec("UPDATE unknown_fields SET announced_at = NULL");
    await tick(NOW + 60_000);
    expect(receiver.events).toHaveLength(2);
    expect(new Set(receiver.events.map((event) => event["event_id"])).size).toBe(1);
  });

  test("a field that is known costs a write a day; the memory of a topic is bounded, also in time", async () => {
    const writes = async (pointers: readonly string[], now: number) => {
      const before = db.sqlite.prepare("SELECT total_changes() AS n").get()?.["n"];
      await note("orders", pointers, now);
      return Number(db.sqlite.prepare("SELECT total_changes() AS n").get()?.["n"]) - Number(before);
    };
    expect(await writes(["/a"], NOW)).toBe(1);
    expect(await writes(["/a"], NOW + 60_000)).toBe(0);
    expect(await writes(["/a"], NOW + DAY_MS)).toBe(1);
    await note(
      "orders",
      Array.from({ length: MAX_UNKNOWN_FIELDS }, (_, i) => `/many-${i}`),
      NOW + DAY_MS,
    );
    expect(await writes(["/a", "/one-more"], NOW + 2 * DAY_MS)).toBe(1);
    await tick(NOW + 2 * DAY_MS);
    await note("weather", ["/b"], NOW + 32 * DAY_MS);
    await tick(NOW + 32 * DAY_MS);
    expect(await unknownFieldsOf(db.d1, "orders")).toMatchObject([{ pointer: "/a" }]);
  });

  test("a release forgets them: what is still unknown is seen and announced anew", async () => {
    await announceReleases({ ...receiver, db: db.d1 }, NOW);
    await note("orders", ["/note"]);
    await note("weather", ["/note"]);
    db.sqlite.exec("UPDATE announced_releases SET digest = 'other' WHERE topic = 'orders'");
    await announceReleases({ ...receiver, db: db.d1 }, NOW);
    expect(await unknownFieldsOf(db.d1, "orders")).toEqual([]);
    expect(await unknownFieldsOf(db.d1, "weather")).toHaveLength(1);
  });
});
