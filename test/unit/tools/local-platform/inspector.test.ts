import { describe, expect, it } from "vitest";
import { parseRange } from "../../../../tools/local-platform/inspector.ts";

describe("parseRange", () => {
  it.each([
    ["bytes=0-0", { offset: 0, length: 1 }],
    ["bytes=5-9", { offset: 5, length: 5 }],
    ["bytes=7-", { offset: 7 }],
    ["bytes=-8", { suffix: 8 }],
  ])("%s", (header, range) => expect(parseRange(header)).toEqual(range));

  it.each(["bytes=", "bytes=-", "bytes=-0", "bytes=9-5", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b"])(
    "refuses %s",
    (header) => expect(parseRange(header)).toBe("malformed"),
  );
});
