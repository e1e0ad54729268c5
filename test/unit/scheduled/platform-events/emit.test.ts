/** What the platform says of itself passes the contracts that it gives others. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { contractOf } from "../../../../contracts/registry.ts";
import { admitPlatformEvent } from "../../../../gateway/admit/platform-events.ts";
import type { Condition } from "../../../../scheduled/conditions/condition.ts";
import { emit, type PlatformEvents, packPlatformEvents } from "../../../../scheduled/platform-events/emit.ts";
import { pipelineAlert } from "../../../../scheduled/platform-events/pipeline-alert.ts";
import { decodeMessage } from "../../../../schemas/packed-block.ts";
import { anyCharacter } from "../../../oracle/any-character.ts";

/** 2026-11-21T12:00:00Z */
const NOW = 1_795_262_400_000;
const KINDS = contractOf("pipeline_alerts")?.fields.find(({ name }) => name === "kind")?.accepted ?? [];

const condition: fc.Arbitrary<Condition> = fc.record(
  {
    key: fc.string({ minLength: 1, unit: anyCharacter }).map((text) => text.toWellFormed()),
    kind: fc.constantFrom(...KINDS),
    severity: fc.constantFrom("info", "warning", "critical"),
    message: fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.constant("😀".repeat(3_000)),
      fc.constant(`a${"😀".repeat(3_000)}`),
    ),
    domain: fc.constantFrom("orders", "daily_order_revenue"),
    partitionDate: fc.constant("2026-11-20"),
    runId: fc.uuid(),
    measured: fc.double(),
    bound: fc.double(),
  },
  { requiredKeys: ["key", "kind", "severity", "message"] },
);

let ids = 0;
const uuidv7 = () => `019aa000-0000-7000-8000-${String(ids++).padStart(12, "0")}`;

/** The messages of events; throws what admission refuses. */
function messagesOf<Topic extends keyof PlatformEvents>(topic: Topic, events: readonly PlatformEvents[Topic][]) {
  return packPlatformEvents(topic, events, NOW, { admit: admitPlatformEvent, uuidv7 }).map(({ body }) =>
    decodeMessage(body),
  );
}

test("every alert is admitted by its contract", () => {
  fc.assert(
    fc.property(fc.array(condition, { minLength: 1, maxLength: 20 }), fc.nat(5), (conditions, announced) => {
      const since = new Date(NOW).toISOString();
      const events = conditions.map((each) => pipelineAlert(each, { state: "firing", since, announced }, since));
      const messages = messagesOf("pipeline_alerts", events);
      expect(messages.reduce((sum, { header }) => sum + header.count, 0)).toBe(events.length);
    }),
  );
});

test("what its contract would refuse is not sent, and the error names it", () => {
  const event = pipelineAlert(
    { key: "k", kind: "not a kind", severity: "info", message: "m" },
    { state: "firing", since: new Date(NOW).toISOString(), announced: 0 },
    new Date(NOW).toISOString(),
  );
  expect(() => messagesOf("pipeline_alerts", [event])).toThrow('INVALID_ENUM at "/kind"');
});

test("an alert's id is its position's: another one for each announcement, the same for the same", () => {
  const one: Condition = { key: "freshness/orders", kind: "freshness", severity: "warning", message: "late" };
  const at = new Date(NOW).toISOString();
  const idOf = (state: "firing" | "resolved", announced: number, since = at, key = one.key) =>
    pipelineAlert({ ...one, key }, { state, since, announced }, new Date().toISOString()).event_id;
  expect(idOf("firing", 0)).toBe(idOf("firing", 0));
  const others = [
    idOf("firing", 1),
    idOf("resolved", 1),
    idOf("firing", 0, "2026-11-22T00:00:00.000Z"),
    idOf("firing", 0, at, "x"),
  ];
  expect(new Set([idOf("firing", 0), ...others]).size).toBe(5);
});

test("many events travel in several messages, numbered within their emission", async () => {
  const at = new Date(NOW).toISOString();
  const events = Array.from({ length: 100 }, (_, i) =>
    pipelineAlert(
      { key: `k${i}`, kind: "freshness", severity: "info", message: "m".repeat(2_000) },
      { state: "firing", since: at, announced: 0 },
      at,
    ),
  );
  const messages = messagesOf("pipeline_alerts", events);
  expect(messages.length).toBeGreaterThan(2);
  expect(messages.map(({ header }) => header.sequence)).toEqual(messages.map((_, i) => i + 1));
  const { version } = contractOf("pipeline_alerts") ?? {};
  expect(messages[0]?.header).toMatchObject({ producer: "sluice", contract_version: version, received: NOW * 1_000 });

  const sent: number[] = [];
  let calls = 0;
  const send = async () => {
    calls++;
    if (calls === 2) throw new Error("queue unavailable");
  };
  const emitted = emit("pipeline_alerts", events, NOW, {
    topicQueue: () => ({ send }),
    admit: admitPlatformEvent,
    uuidv7,
    countSent: (count) => sent.push(count),
  });
  await expect(emitted).rejects.toThrow("queue unavailable");
  expect(sent).toEqual([1]);
});
