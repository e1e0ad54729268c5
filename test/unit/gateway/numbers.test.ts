/** Numbers, dates and times at the edges of their types: what JSON and Avro may say, and what is kept of it. */
import { describe, expect, test } from "vitest";
import { contractOf } from "../../../contracts/registry.ts";
import { createAdmitter } from "../../../gateway/admit/admitter.ts";
import { createDatumDecoder } from "../../../gateway/bodies/avro/datum.ts";
import { lineOfEvent } from "../../../producers/client/event-line.ts";
import { buildCodec, envelopeSchema } from "../../../schemas/codecs.ts";
import { createEventBuffer } from "../../../schemas/event-buffer.ts";
import { applyResidue } from "../../../schemas/event-residue.ts";
import { jsonFromInteger, parseExactJson } from "../../../schemas/exact-json.ts";
import { NOW } from "./harness.ts";

const orders = contractOf("orders");
if (orders === undefined) throw new Error("there is no topic orders");
const codec = buildCodec({
  id: 1,
  topic: "edges",
  version: 1,
  schema: {
    type: "record",
    name: "Edges",
    fields: [
      {
        name: "wide",
        type: ["null", { type: "bytes", logicalType: "decimal", precision: 38, scale: 18 }],
        default: null,
      },
      {
        name: "whole",
        type: ["null", { type: "bytes", logicalType: "decimal", precision: 38, scale: 0 }],
        default: null,
      },
      {
        name: "fraction",
        type: ["null", { type: "bytes", logicalType: "decimal", precision: 38, scale: 38 }],
        default: null,
      },
      {
        name: "bounded",
        type: ["null", { type: "bytes", logicalType: "decimal", precision: 30, scale: 20 }],
        default: null,
      },
      { name: "long", type: ["null", "long"], default: null },
      { name: "int", type: ["null", "int"], default: null },
      { name: "day", type: ["null", { type: "int", logicalType: "date" }], default: null },
      { name: "at", type: ["null", { type: "long", logicalType: "timestamp-micros" }], default: null },
    ],
  },
});
const contract = {
  ...orders,
  topic: "edges",
  eventTime: "none",
  eventTimeWindow: null,
  shards: 1,
  rules: [],
  fields: [{ name: "bounded", kind: "number" as const, required: false, minimum: -0.3, maximum: 0.3 }],
};
const admitter = createAdmitter(contract, codec);
// Not avsc's decoder: it refuses times from 2^53 - 1 microseconds on.
const decodeEnvelope = createDatumDecoder(envelopeSchema(codec.schema));

/** The errors of an event, or the event as it comes back from where it is stored, as JSON. */
function admitted(event: unknown): string {
  const output = createEventBuffer(16);
  const context = { received: NOW * 1_000, suspectSurrogates: false, output, masker: null };
  const admission = admitter.admit(event, 0, context);
  if (!admission.accepted) return admission.errors.map(({ error_type, detail }) => `${error_type}: ${detail}`).join();
  const {
    event: typed,
    extra,
    lexical,
  } = Object(decodeEnvelope(output.slice(admission.start, admission.end), 0).event);
  return JSON.stringify(applyResidue(typed, extra ?? null, lexical ?? null));
}

const json = (field: string, value: string) => admitted(parseExactJson(`{"${field}":${value}}`));

describe("a JSON number that a decimal column holds exactly is accepted, and comes back as it was sent", () => {
  test.each([
    ["wide", "1"],
    ["wide", "-1.5"],
    ["wide", "12345678901234567890"],
    ["wide", "12345678901234567890.123456789012345678"],
    ["wide", "0.000000000000000001"],
    ["whole", "1000000000000000000000"],
    ["whole", "99999999999999999999999999999999999999"],
    ["fraction", "0.1"],
    ["fraction", "1.5e-38"],
    ["bounded", "0.3"],
    ["bounded", "-0.29999999999999999999"],
  ])("%s %s", (field, value) => {
    const back = json(field, value);
    if (value === "1.5e-38") expect(back).toMatch(/^TYPE_MISMATCH: expected a decimal with at most 38 decimals/);
    else expect(parseExactJson(back)).toEqual(parseExactJson(`{"${field}":${value}}`));
  });

  test("also with its exponent, and with zeros behind it", () => {
    expect(json("wide", "1234567890123456789.50e1")).toBe('{"wide":1234567890123456789.50e1}');
    expect(json("whole", '"7.000"')).toBe('{"whole":"7.000"}');
  });

  test.each([
    ["wide", "123456789012345678901", "VALUE_OUT_OF_RANGE: expected at most 38 digits, 18 of them decimals"],
    ["wide", "1e400", "VALUE_OUT_OF_RANGE: expected at most 38 digits"],
    ["wide", "0.0000000000000000001", "TYPE_MISMATCH: expected a decimal with at most 18 decimals"],
    ["wide", "9".repeat(900), "VALUE_OUT_OF_RANGE: expected at most 38 digits"],
    // A double cannot tell these from their bound.
    ["bounded", "0.30000000000000000001", "VALUE_OUT_OF_RANGE: expected at most 0.3"],
    ["bounded", '"0.30000000000000000001"', "VALUE_OUT_OF_RANGE: expected at most 0.3"],
    ["bounded", "-0.30000000000000000001", "VALUE_OUT_OF_RANGE: expected at least -0.3"],
  ])("%s %s is refused", (field, value, error) => {
    expect(json(field, value)).toContain(error);
  });
});

describe("a long has all its 64 bits", () => {
  test.each([
    "9007199254740993",
    "1234567890123456789",
    "9223372036854775807",
    "-9223372036854775808",
    "-9007199254740993",
    "1152921504606847000",
  ])("%s", (value) => {
    expect(json("long", value)).toBe(`{"long":${value}}`);
  });

  test("in another form it comes back in that form", () => {
    expect(json("long", "1234567890123456789.0")).toBe('{"long":1234567890123456789.0}');
    expect(json("long", "1e18")).toBe('{"long":1000000000000000000}');
  });

  test.each(["9223372036854775808", "-9223372036854775809", "1e19", "1e999", "7".repeat(900)])(
    "%s is none",
    (value) => {
      expect(json("long", value)).toMatch(
        /^VALUE_OUT_OF_RANGE: expected an integer from -9223372036854775808 to 9223372036854775807 \(long\), got the number /,
      );
    },
  );

  test.each(["1234567890123456789.5", '"1234567890123456789"', "{}"])("%s is no integer", (value) => {
    expect(json("long", value)).toMatch(/^TYPE_MISMATCH: expected an integer/);
  });

  test("an int has 32", () => {
    expect(json("int", "2147483647")).toBe('{"int":2147483647}');
    expect(json("int", "2147483648")).toMatch(/^VALUE_OUT_OF_RANGE/);
    expect(json("int", "12345678901234567890")).toMatch(/^VALUE_OUT_OF_RANGE/);
  });

  test("the client writes a bigint with all its digits", () => {
    const { line } = lineOfEvent({ id: "a", long: 1234567890123456789n, small: 5n }, undefined, () => "");
    expect(new TextDecoder().decode(line)).toBe('{"id":"a","long":1234567890123456789,"small":5}');
  });
});

describe("JSON and Avro agree at the edges", () => {
  const decode = createDatumDecoder(codec.schema);
  const FIELDS = codec.schema.fields.map(({ name }) => name);

  /** A datum of one field, whose zigzag varint has these 64 bits, whether avsc would write it or not. */
  function avro(field: string, integer: bigint): string {
    const bytes: number[] = [];
    for (const name of FIELDS) {
      if (name !== field) {
        bytes.push(0);
        continue;
      }
      bytes.push(2);
      let rest = BigInt.asUintN(64, (integer << 1n) ^ (integer >> 63n));
      for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
      bytes.push(Number(rest));
    }
    return admitted(decode(Uint8Array.from(bytes), 0).event);
  }

  test.each([-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n, -(2n ** 53n), -(2n ** 52n) - 1n, 0n])(
    "the long %s",
    (integer) => {
      expect(avro("long", integer)).toBe(json("long", JSON.stringify(jsonFromInteger(integer))));
      expect(avro("long", integer)).toBe(`{"long":${integer}}`);
    },
  );

  test.each([
    ["0000-01-01", -719_528n],
    ["0001-01-01", -719_162n],
    ["1969-12-31", -1n],
    ["9999-12-31", 2_932_896n],
  ])("the date %s", (text, days) => {
    expect(json("day", `"${text}"`)).toBe(`{"day":"${text}"}`);
    expect(avro("day", days)).toBe(`{"day":"${text}"}`);
  });

  test("days that no date of four digits has are refused", () => {
    for (const days of [-719_529n, 2_932_897n, 2n ** 31n - 1n]) expect(avro("day", days)).toMatch(/^TYPE_MISMATCH/);
    for (const text of ["10000-01-01", "-0001-12-31"]) expect(json("day", `"${text}"`)).toMatch(/^INVALID_FORMAT/);
  });

  test.each([
    ["1684-07-28T00:12:25.259009Z", -(2n ** 53n) + 1n],
    ["1827-04-16T00:12:25.259007Z", null],
    ["1970-01-01T00:00:00.000Z", 0n],
    ["2255-06-05T23:47:34.740991Z", 2n ** 53n - 1n],
  ])("the time %s", (text, micros) => {
    expect(json("at", `"${text}"`)).toBe(`{"at":"${text}"}`);
    if (micros !== null) expect(avro("at", micros)).toBe(`{"at":"${text}"}`);
  });

  test("times beyond them are refused", () => {
    for (const micros of [-(2n ** 53n), 2n ** 53n, 2n ** 63n - 1n])
      expect(avro("at", micros)).toMatch(/^TYPE_MISMATCH/);
    for (const text of ["1684-07-28T00:12:25.259008Z", "2255-06-05T23:47:34.740992Z"])
      expect(json("at", `"${text}"`)).toMatch(/^INVALID_FORMAT/);
  });

  test("a leap second and a long fraction come back as they were sent", () => {
    for (const text of ["2016-12-31T23:59:60.000Z", "2026-11-21T12:00:00.123456789012345Z"])
      expect(json("at", `"${text}"`)).toBe(`{"at":"${text}"}`);
  });
});
