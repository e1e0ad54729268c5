/** Container files that Python's writers wrote (make.py), and blocks of each codec that are forged. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync, inflateRawSync, zstdCompressSync } from "node:zlib";
import { compress } from "snappyjs";
import { describe, expect, it, test } from "vitest";
import { CODEC_NAMES, codecOf } from "../../../../../gateway/bodies/avro/codecs.ts";
import { answer, createHarness, deadLetters, order } from "../../harness.ts";

const ORDERS = "/v1/topics/orders/events";
const CONTAINER = { "content-type": "application/avro" };
const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".avro"));
const read = (name: string) => readFileSync(join(import.meta.dirname, name));

describe("files of fastavro and of Python's avro", () => {
  it.each(files.filter((name) => !name.includes("bzip2")))("%s is taken, all of its orders", async (name) => {
    const harness = createHarness();
    const response = await harness.post(`${ORDERS}?results=all`, read(name), CONTAINER);
    const body = await answer(response);
    expect([response.status, body.results.map(({ event_id }) => event_id)]).toEqual([202, ["py-0", "py-1", "py-2"]]);
    const events = harness.sent.flatMap(({ envelopes }) => envelopes.map(({ event }) => event));
    for (const event of events) {
      const { event_id: _id, ...rest } = order("py");
      expect(event).toMatchObject(rest);
    }
  });

  it("leave bytes behind the last deflate block, which is why this is here", () => {
    for (const name of ["fastavro-deflate.avro", "avro-deflate.avro"]) {
      const file = read(name);
      const block = file.subarray(file.lastIndexOf(file.subarray(-16), file.length - 17) + 16 + 3, file.length - 16);
      const data = inflateRawSync(block);
      expect(inflateRawSync(block.subarray(0, -3))).toEqual(data);
      expect(() => inflateRawSync(block.subarray(0, -4))).toThrow();
    }
  });

  it("of another codec are refused with the ones that are taken", async () => {
    const harness = createHarness();
    const response = await harness.post(ORDERS, read("fastavro-bzip2.avro"), CONTAINER);
    expect([response.status, (await answer(response)).detail]).toEqual([
      400,
      expect.stringContaining("its codec is bzip2: write it with one of null, deflate, snappy, zstandard"),
    ]);
    expect(deadLetters(harness)).toHaveLength(1);
  });
});

describe("a block", () => {
  const DATA = Buffer.from(JSON.stringify(Array.from({ length: 200 }, (_, index) => ({ index }))));
  const snappy = (data: Uint8Array) => {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(data));
    return Buffer.concat([compress(new Uint8Array(data)), crc]);
  };
  const compressed: Readonly<Record<string, (data: Uint8Array) => Uint8Array>> = {
    null: (data) => data,
    deflate: (data) => deflateRawSync(data),
    snappy,
    zstandard: (data) => zstdCompressSync(data),
  };
  const inflate = (codec: string, block: Uint8Array, maxBytes = DATA.length) => codecOf(codec)?.(block, maxBytes);

  test.each(CODEC_NAMES)("of codec %s is what was written, whatever part of a larger buffer it is", (codec) => {
    const block = compressed[codec]?.(DATA) ?? new Uint8Array(0);
    const within = Buffer.concat([Buffer.from("before"), block, Buffer.from("behind")]).subarray(6, 6 + block.length);
    expect(Buffer.from(inflate(codec, within) ?? [])).toEqual(DATA);
  });

  test.each(["deflate", "snappy", "zstandard"])("of codec %s has a bound, and its bomb costs nothing", (codec) => {
    const bomb = compressed[codec]?.(Buffer.alloc(64_000_000)) ?? new Uint8Array(0);
    const before = process.memoryUsage();
    expect(() => inflate(codec, bomb, 1_000_000)).toThrow(RangeError);
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(8_000_000);
    expect(() => inflate(codec, compressed[codec]?.(DATA) ?? DATA, DATA.length - 1)).toThrow(RangeError);
    expect(() => inflate(codec, compressed[codec]?.(DATA) ?? DATA, 0)).toThrow(RangeError);
  });

  test.each(["deflate", "snappy", "zstandard"])("of codec %s that is cut or altered is none", (codec) => {
    const block = compressed[codec]?.(DATA) ?? new Uint8Array(0);
    const broken = [block.subarray(0, -5), block.subarray(0, 3), new Uint8Array(0), Buffer.from("no such data at all")];
    for (const bytes of broken) {
      const refused = tryTo(() => inflate(codec, bytes, 1_000_000));
      expect(refused, `${codec} ${bytes.length}`).toBeInstanceOf(Error);
    }
  });

  it("of snappy that claims more than it has, or whose checksum is another's, is none", () => {
    const good = snappy(DATA);
    const claims = Buffer.concat([Buffer.from([0x80, 0x80, 0x04]), good.subarray(2)]);
    const forged = Buffer.from(good);
    forged[good.length - 1] = (good.at(-1) ?? 0) ^ 1;
    const giant = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), good]);
    expect(tryTo(() => inflate("snappy", claims, 1_000_000))).toMatchObject({ name: "Error" });
    expect(tryTo(() => inflate("snappy", forged, 1_000_000))).toMatchObject({ message: "another checksum" });
    expect(tryTo(() => inflate("snappy", giant, 1_000_000))).toBeInstanceOf(RangeError);
  });

  function tryTo(run: () => unknown): unknown {
    try {
      run();
      return null;
    } catch (error) {
      return error;
    }
  }
});
