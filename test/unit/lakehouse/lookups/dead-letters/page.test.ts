import { beforeAll, describe, expect, test } from "vitest";
import { type DeadLetterQuery, readDeadLetters } from "../../../../../lakehouse/lookups/dead-letters/page.ts";
import { boundaryAt, type Order, type Position } from "../../../../../lakehouse/lookups/dead-letters/position.ts";
import { formatTimestamp } from "../../../../../schemas/time.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { makeMessage, uuidAt } from "../../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../../oracle/lake.ts";
import { permit } from "../../../../oracle/permit.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const HOUR = 3_600_000;

interface Letter {
  readonly id: string;
  /** Milliseconds. */
  readonly at: number;
  readonly topic: string;
  readonly type: string;
  readonly producer: string;
}

function letterEvent({ id, at, topic, type, producer }: Letter) {
  return {
    extra: null,
    lexical: null,
    event: {
      dlq_id: id,
      source_topic: topic,
      request_id: "r",
      event_index: 3,
      byte_offset: 17,
      event_id: null,
      producer,
      contract_version: "1.0.0",
      schema_version: 1,
      stage: "admission",
      error_type: type,
      errors: [{ error_type: type, pointer: "/a", rule: null, detail: "d" }],
      payload: `{"id":"${id}"}`,
      payload_encoding: "utf-8",
      payload_ref: null,
      received_at: formatTimestamp(at * 1_000),
      attempts: 1,
      replay_of: null,
    },
  };
}

/** Letters over three days, several a millisecond; flushes overlap, the first day is built, and some come twice. */
function someLetters(): Letter[] {
  return Array.from({ length: 300 }, (_, i) => ({
    id: ((i * 2_654_435_761) % 4_294_967_296).toString(16).padStart(32, "0"),
    at: NOW - 50 * HOUR + Math.floor((i * 7_919) % 300) * 600_000 - ((i * 7_919) % 3) * 600_000,
    topic: ["orders", "weather", "users"][i % 3] ?? "",
    type: i % 4 === 0 ? "MISSING_FIELD" : "TYPE_MISMATCH",
    producer: i % 5 === 0 ? "shop" : "till",
  }));
}

const letters = someLetters();
let lake: Lake;

async function land(part: readonly Letter[], n: number): Promise<void> {
  const messages = [...Map.groupBy(part, ({ at }) => at)].map(([at, same], i) =>
    makeMessage({
      topic: "dead_letters",
      messageId: uuidAt(NOW + n, i),
      received: at * 1_000,
      events: same.map(letterEvent),
    }),
  );
  await lake.land("dead_letters", messages);
}

beforeAll(async () => {
  loadParquetWasm();
  lake = new Lake(NOW + HOUR);
  for (let flush = 0; flush < 6; flush++)
    await land(
      letters.filter((_, i) => i % 6 === flush),
      flush,
    );
  for (const date of ["2026-11-19", "2026-11-20"]) {
    await lake.plan();
    await lake.build(tableOf("dead_letters"), date);
  }
  await land(letters.slice(0, 20), 10);
});

const EVERYTHING = { topics: null, errorType: null, producer: null, ids: null };
const ALWAYS = { from: (NOW - 90 * HOUR) * 1_000, to: (NOW + HOUR) * 1_000 };

async function pages(query: Partial<DeadLetterQuery>, limit: number, order: Order = "newest") {
  const ids: string[] = [];
  let reads = 0;
  let after: Position | null = null;
  do {
    const page: Awaited<ReturnType<typeof readDeadLetters>> = await readDeadLetters(
      {
        db: lake.d1.binding,
        permit,
        bucket: {
          get: (key: string, options?: R2GetOptions) => {
            reads++;
            return lake.bucket.get(key, options);
          },
        },
      },
      { filter: EVERYTHING, order, range: ALWAYS, withPayloads: true, ...query, after, limit },
    );
    expect(page.letters.length).toBeLessThanOrEqual(limit);
    ids.push(...page.letters.map((letter) => letter.dlq_id));
    after = page.next;
  } while (after !== null);
  return { ids, reads };
}

function expected(matches: (letter: Letter) => boolean, order: Order = "newest"): string[] {
  const sign = order === "newest" ? -1 : 1;
  return letters
    .filter(matches)
    .sort((a, b) => sign * (a.at - b.at || (a.id < b.id ? -1 : 1)))
    .map(({ id }) => id);
}

describe("pages of dead letters, from silver and from bronze that is not built yet", () => {
  test.each([
    ["newest", 1_000],
    ["newest", 7],
    ["oldest", 50],
    ["oldest", 1],
  ] as const)("%s first, %i a page: each once, in order", async (order, limit) => {
    const part = limit === 1 ? { range: { from: ALWAYS.from, to: (NOW - 46 * HOUR) * 1_000 } } : {};
    const found = await pages(part, limit, order);
    expect(found.ids).toEqual(expected(({ at }) => limit > 1 || at <= NOW - 46 * HOUR, order));
  });

  test("by topic, type, producer and time", async () => {
    const filter = {
      ...EVERYTHING,
      topics: new Set(["weather", "users"]),
      errorType: "MISSING_FIELD",
      producer: "till",
    };
    const range = { from: (NOW - 40 * HOUR) * 1_000, to: (NOW - 5 * HOUR) * 1_000 };
    expect((await pages({ filter, range }, 10)).ids).toEqual(
      expected(
        ({ at, topic, type, producer }) =>
          at >= NOW - 40 * HOUR &&
          at <= NOW - 5 * HOUR &&
          topic !== "orders" &&
          type === "MISSING_FIELD" &&
          producer === "till",
      ),
    );
  });

  test("by id: the search ends when all are found", async () => {
    const wanted = [letters[3]?.id ?? "", letters[200]?.id ?? ""];
    const found = await pages({ filter: { ...EVERYTHING, ids: new Set(wanted) } }, 2);
    expect(found.ids.toSorted()).toEqual(wanted.toSorted());
  });

  test("a letter comes back whole, and without its payload where that is not asked for", async () => {
    const id = letters[42]?.id ?? "";
    const query: DeadLetterQuery = {
      filter: { ...EVERYTHING, ids: new Set([id]) },
      order: "newest",
      range: ALWAYS,
      after: null,
      limit: 1,
      withPayloads: true,
    };
    const reader = { db: lake.d1.binding, bucket: lake.bucket, permit };
    const [whole] = (await readDeadLetters(reader, query)).letters;
    const [first] = letters.filter((letter) => letter.id === id).map(letterEvent);
    expect(whole).toEqual(first?.event);
    const [brief] = (await readDeadLetters(reader, { ...query, withPayloads: false })).letters;
    expect(brief).toEqual({ ...first?.event, payload: null });
  });

  test("the newest page reads little of the lake, and none of another day", async () => {
    const { reads } = await pages({ range: { from: (NOW - 2 * HOUR) * 1_000, to: ALWAYS.to } }, 100);
    // Seven flushes have rows of today, and each is small enough to be had with its footer.
    expect(reads).toBe(7);
    expect(
      (await pages({ range: { from: (NOW - 900 * HOUR) * 1_000, to: (NOW - 800 * HOUR) * 1_000 } }, 5)).reads,
    ).toBe(0);
  });
});

describe("a long day that is not built", () => {
  test("a page ends early, says where to go on, and the next ones tell the rest", async () => {
    const long = new Lake(NOW);
    const many = Array.from({ length: 90 }, (_, i) => ({
      id: i.toString(16).padStart(32, "0"),
      at: NOW - i * 60_000,
      topic: "orders",
      type: "MISSING_FIELD",
      producer: "till",
    }));
    for (const [n, letter] of many.entries()) {
      const events = [letterEvent(letter)];
      await long.land("dead_letters", [
        makeMessage({ topic: "dead_letters", messageId: uuidAt(NOW, n), received: letter.at * 1_000, events }),
      ]);
    }
    const reader = { db: long.d1.binding, bucket: long.bucket, permit };
    const last = many.at(-1)?.id ?? "";
    const query: DeadLetterQuery = {
      filter: { ...EVERYTHING, ids: new Set([last]) },
      order: "newest",
      range: ALWAYS,
      after: null,
      limit: 1,
      withPayloads: false,
    };
    const first = await readDeadLetters(reader, query);
    expect(first).toEqual({ letters: [], next: boundaryAt("newest", expect.any(Number)) });
    const second = await readDeadLetters(reader, { ...query, after: first.next });
    expect(second.letters.map((letter) => letter.dlq_id)).toEqual([last]);
    expect(second.next).toBeNull();
  });
});
