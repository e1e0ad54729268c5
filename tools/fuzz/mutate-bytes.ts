/** Mutations that know nothing: bits flipped, pieces cut out, doubled, inserted, two bodies spliced. */
import type { Random } from "../../producers/simulators/random.ts";

const INSERTED = [
  "\u0000",
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  "\n",
  "\r\n",
  "\ufeff",
  "\\ud800",
  "1e999",
  "//",
  "\\u0000",
];

/** Loses the end, or has bytes after it: all that leaves every value in its field. */
export function mutateEnd(body: Buffer, random: Random): Buffer {
  if (random.chance(0.7)) return body.subarray(0, random.int(0, body.length));
  return Buffer.concat([body, noise(random, random.int(1, 40))]);
}

/** One to three mutations of a body; `other` is what pieces are taken from. */
export function mutateBytes(body: Buffer, other: Buffer, random: Random): Buffer {
  let mutated = body;
  for (let left = random.int(1, 3); left > 0; left--) mutated = mutateOnce(mutated, other, random);
  return mutated;
}

function mutateOnce(body: Buffer, other: Buffer, random: Random): Buffer {
  const at = random.int(0, Math.max(0, body.length - 1));
  const to = Math.min(body.length, at + random.int(1, 30));
  switch (random.int(0, 6)) {
    case 0: {
      const copy = Buffer.from(body);
      if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ (1 << random.int(0, 7));
      return copy;
    }
    case 1:
      return joined(body.subarray(0, at), body.subarray(to));
    case 2:
      return joined(body.subarray(0, to), body.subarray(at));
    case 3:
      return joined(body.subarray(0, at), Buffer.from(random.pick(INSERTED)), body.subarray(at));
    case 4:
      return joined(body.subarray(0, at), noise(random, random.int(1, 16)), body.subarray(at));
    case 5:
      return joined(body.subarray(0, at), other.subarray(random.int(0, other.length)));
    default:
      return mutateEnd(body, random);
  }
}

const joined = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);

function noise(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.int(0, 255)));
}
