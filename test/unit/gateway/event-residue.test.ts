import { describe, expect, it } from "vitest";
import { applyResidue, createResidueWriter, pointerOf } from "../../../schemas/event-residue.ts";
import {
  isExtreme,
  mayAlterNumbers,
  mayHoldLongExponent,
  mayHoldLongNumber,
  parseExactJson,
} from "../../../schemas/exact-json.ts";

describe("event residue", () => {
  it("has the documented form, and leads back", () => {
    const writer = createResidueWriter();
    writer.addExtra([], "x", 1);
    writer.addExtra(["items", 1], "y", 2);
    writer.addLexical(["a~/b", 0], null);
    expect(writer.finish()).toEqual({ extra: '{"x":1,"items":[{},{"y":2}]}', lexical: '{"/a~0~1b/0":null}' });
    expect(createResidueWriter().finish()).toEqual({ extra: null, lexical: null });
    expect(pointerOf(["items", 0, "a/b"])).toBe("/items/0/a~1b");
    const typed = { "a~/b": [5], items: [{ sku: "a" }, { sku: "b" }, { sku: "c" }] };
    const { extra, lexical } = writer.finish();
    expect(applyResidue(typed, extra, lexical)).toEqual({
      "a~/b": [null],
      x: 1,
      items: [{ sku: "a" }, { sku: "b", y: 2 }, { sku: "c" }],
    });
    expect(typed["a~/b"]).toEqual([5]);
  });
});

describe("exact JSON", () => {
  /** As batches ask: of bytes that may begin anywhere in a body. */
  const mayHaveAltered = (text: string, shift = 0) => {
    const body = new Uint8Array([...new Uint8Array(shift), ...new TextEncoder().encode(text)]);
    return mayHoldLongNumber(body.subarray(shift)) || (isExtreme(JSON.parse(text)) && mayHoldLongExponent(text));
  };

  it("is not sought in ordinary text", () => {
    const text =
      '{"id":"4e123a0b-1e12-4123-8e45-6789e1234567","at":"2026-11-21T11:59:00.123Z","n":123456.78,"ip":"192.168.100.100"}';
    const none = text.replace("123456.78", "0");
    for (const each of [text, none]) expect(mayHaveAltered(each)).toBe(false);
  });

  it("keeps what a double would alter, and only that", () => {
    const kept = [
      "9007199254740993",
      "12345678901234567890",
      "0.12345678901234567891",
      "1e400",
      "-1E-400",
      "123456789.123456789",
    ];
    for (const source of kept) {
      expect(mayAlterNumbers(`{"a":${source}}`)).toBe(true);
      for (let shift = 0; shift < 16; shift++) {
        for (const text of [`{"a":${" ".repeat(shift)}${source}}`, `${" ".repeat(shift)}${source}`]) {
          expect(mayHaveAltered(text)).toBe(true);
          expect(mayHaveAltered(text, shift)).toBe(true);
        }
      }
      expect(JSON.stringify(parseExactJson(`[${source}]`))).toBe(`[${source}]`);
    }
    const plain = [
      "9007199254740992",
      "0.1",
      "1.50000000000000000000",
      "100000000000000000000000",
      "1e22",
      "0e999",
      "-0.0",
      "5e-324",
    ];
    for (const source of plain) expect(parseExactJson(`[${source}]`)).toEqual([Number(source)]);
  });
});
