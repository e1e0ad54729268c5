/** What the platform announces of its releases, and that it does so once. */
import { beforeEach, describe, expect, test } from "vitest";
import type { FieldRule } from "../../../../contracts/contract.ts";
import { contracts } from "../../../../contracts/registry.ts";
import { announceReleases } from "../../../../scheduled/releases/announce.ts";
import { digestOf, type Release, releaseEvents } from "../../../../scheduled/releases/release-events.ts";
import type { AvroRecord } from "../../../../schemas/avro-schema.ts";
import { codecsOf } from "../../../../schemas/codecs.ts";
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
