/** The simulators' only source of chance: seeded, splittable, equal on every machine. */
import { createHash } from "node:crypto";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

const BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz";

/**
 * A stream of random values. Behaviour (what happens) and identity (ids) come from two generators: with the same seed and
 * another `idSalt` the same things happen under new ids, so that two runs of one seed never collide in a lake.
 */
export class Random {
  readonly #path: string;
  readonly #idSalt: string;
  readonly #values: RandomGenerator;
  readonly #ids: RandomGenerator;

  /** `path` names the stream; equal paths and salts give equal streams. */
  constructor(path: string, idSalt: string) {
    this.#path = path;
    this.#idSalt = idSalt;
    this.#values = generatorOf(`values:${path}`);
    this.#ids = generatorOf(`ids:${path}:${idSalt}`);
  }

  /** An independent stream, named below this one; drawing from one never shifts the other. */
  fork(name: string): Random {
    return new Random(`${this.#path}/${name}`, this.#idSalt);
  }

  /** Uniform in [0, 1). */
  float(): number {
    return uniformFloat64(this.#values);
  }

  /** Uniform integer, both ends included. */
  int(from: number, to: number): number {
    return uniformInt(this.#values, from, to);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** One of the items, each as likely as the other. Throws RangeError if there are none. */
  pick<T>(items: readonly T[]): T {
    const index = this.int(0, Math.max(0, items.length - 1));
    for (const item of items.slice(index, index + 1)) return item;
    throw new RangeError("nothing to pick from");
  }

  /** One of the choices, as likely as its weight (any unit, not negative). Throws RangeError if all weights are zero. */
  weighted<T>(choices: readonly (readonly [choice: T, weight: number])[]): T {
    let rest = this.float() * choices.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [choice, weight] of choices) {
      rest -= weight;
      if (rest < 0) return choice;
    }
    throw new RangeError("no choice has a weight");
  }

  /** Normal (Box and Muller 1958). */
  normal(mean: number, deviation: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.float());
  }

  /** Exponential with this mean: the waiting time between independent events. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.float());
  }

  /** A rank in 1..count from a sampler made by `createZipf`. */
  zipf(distribution: Zipf): number {
    return distribution.rankAt(this.float());
  }

  /** A version 4 UUID (RFC 9562, section 5.4). */
  uuid(): string {
    let hex = "";
    for (let word = 0; word < 4; word++) hex += (this.#ids.next() >>> 0).toString(16).padStart(8, "0");
    const variant = "89ab"[Number.parseInt(hex.slice(16, 17), 16) & 3];
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** `length` characters of 0-9a-z, from the generator of ids. */
  id(length: number): string {
    let text = "";
    for (let i = 0; i < length; i++) text += BASE36.charAt(uniformInt(this.#ids, 0, 35));
    return text;
  }
}

/** The root stream of a seed (any finite number); `idSalt` as in `Random`. */
export function createRandom(seed: number, idSalt = ""): Random {
  return new Random(String(seed), idSalt);
}

// The hash fills all 128 bits of state: near seeds give unrelated streams, and streams do not meet.
function generatorOf(name: string): RandomGenerator {
  const digest = createHash("sha256").update(name).digest();
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
}

/** Ranks 1..count of which rank r is drawn with a probability proportional to r^-exponent. */
export interface Zipf {
  /** The rank at a quantile in [0, 1). */
  rankAt(quantile: number): number;
}

/** A Zipf distribution by inversion of its summed weights. Throws RangeError unless `count` is at least 1. */
export function createZipf(count: number, exponent: number): Zipf {
  if (!(count >= 1)) throw new RangeError(`a Zipf distribution needs at least one rank, got ${count}`);
  const cumulative = new Float64Array(count);
  let total = 0;
  for (let rank = 1; rank <= count; rank++) {
    total += rank ** -exponent;
    cumulative[rank - 1] = total;
  }
  return {
    rankAt(quantile) {
      const target = quantile * total;
      let low = 0;
      let high = count - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((cumulative[middle] ?? total) > target) high = middle;
        else low = middle + 1;
      }
      return low + 1;
    },
  };
}
