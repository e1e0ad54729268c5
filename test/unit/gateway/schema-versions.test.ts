/** Which schema version an event is judged by, and which are taken. */
import { describe, expect, test } from "vitest";
import { contractOf } from "../../../contracts/registry.ts";
import { createTopicAdmitter } from "../../../gateway/admit/topics.ts";
import { codecsOf } from "../../../schemas/codecs.ts";
import { createEventBuffer } from "../../../schemas/event-buffer.ts";

const contract = contractOf("orders");
if (contract === undefined) throw new Error("no contract for orders");
const codecs = codecsOf("orders");

describe("the version of an event", () => {
  const admitter = createTopicAdmitter(contract, codecs);

  test.each([
    ["its own", { schema_version: 1 }, 2, 1],
    ["else the request's", {}, 1, 1],
    ["else the newest", {}, null, 2],
    ["not its own if that is no whole number", { schema_version: "1" }, null, 2],
  ])("is %s", (_, event, requested, version) => {
    expect(admitter.versionOf(event, requested)).toBe(version);
  });
});

test("a retired version is refused, and the refusal says so", () => {
  const schemas = contract.schemas.map((schema) => (schema.version === 1 ? { ...schema, retired: true } : schema));
  const admitter = createTopicAdmitter({ ...contract, schemas }, codecs);
  const context = { received: 0, suspectSurrogates: false, masker: null, output: createEventBuffer(0) };
  expect(admitter.admit({ schema_version: 1 }, 0, null, context)).toMatchObject({
    accepted: false,
    errors: [
      {
        error_type: "UNKNOWN_SCHEMA",
        detail: "expected a released schema version of orders (2), got 1, which is retired",
      },
    ],
  });
  expect(admitter.versionOf({}, null)).toBe(2);
});
