import { describe, expect, test } from "vitest";
import { createRandom, createZipf } from "../../../producers/simulators/random.ts";

const draws = 20_000;
const sample = <T>(draw: () => T): T[] => Array.from({ length: draws }, draw);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("Random", () => {
  test("gives the same values for the same seed, and others for the next seed", () => {
    const of = (seed: number) => {
      const random = createRandom(seed);
      return [random.float(), random.int(0, 1_000_000), random.uuid(), random.id(8)];
    };
    expect(of(1)).toEqual(of(1));
    expect(of(1).some((value, index) => value === of(2)[index])).toBe(false);
  });

  test("keeps behaviour and changes ids under another salt", () => {
    const [one, other] = [createRandom(1, "monday"), createRandom(1, "tuesday")];
    expect(one.float()).toBe(other.float());
    expect(one.uuid()).not.toBe(other.uuid());
  });

  test("a fork does not depend on what was drawn before", () => {
    const [fresh, used] = [createRandom(1), createRandom(1)];
    used.float();
    expect(used.fork("orders").float()).toBe(fresh.fork("orders").float());
    expect(fresh.fork("orders").float()).not.toBe(fresh.fork("payments").float());
  });

  test("makes version 4 UUIDs, all different", () => {
    const random = createRandom(3);
    const uuids = sample(() => random.uuid());
    for (const uuid of uuids)
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(uuids).size).toBe(draws);
  });

  test("makes ids of 0-9a-z", () => {
    expect(createRandom(3).id(24)).toMatch(/^[0-9a-z]{24}$/);
  });

  test("draws with the named distributions", () => {
    const random = createRandom(4);
    const normal = sample(() => random.normal(10, 2));
    expect(mean(normal)).toBeCloseTo(10, 1);
    expect(Math.sqrt(mean(normal.map((value) => (value - 10) ** 2)))).toBeCloseTo(2, 1);
    expect(mean(sample(() => random.exponential(5)))).toBeCloseTo(5, 0);
    expect(mean(sample(() => (random.chance(0.3) ? 1 : 0)))).toBeCloseTo(0.3, 1);
  });

  test("weighs choices, and never takes one without weight", () => {
    const random = createRandom(5);
    const drawn = sample(() => random.weighted([["a", 3] as const, ["never", 0] as const, ["b", 1] as const]));
    expect(drawn).not.toContain("never");
    expect(drawn.filter((choice) => choice === "a").length / draws).toBeCloseTo(0.75, 1);
    expect(() => random.weighted([["never", 0]])).toThrow(RangeError);
    expect(() => random.pick([])).toThrow(RangeError);
  });

  test("zipf: rank 1 is twice as frequent as rank 2 at exponent 1, and ranks stay in range", () => {
    const random = createRandom(6);
    const zipf = createZipf(100, 1);
    const ranks = sample(() => random.zipf(zipf));
    const count = (rank: number) => ranks.filter((one) => one === rank).length;
    expect(Math.min(...ranks)).toBe(1);
    expect(Math.max(...ranks)).toBeLessThanOrEqual(100);
    expect(count(1) / count(2)).toBeGreaterThan(1.7);
    expect(count(1) / count(2)).toBeLessThan(2.3);
    expect(zipf.rankAt(0)).toBe(1);
    expect(zipf.rankAt(1 - Number.EPSILON)).toBe(100);
    expect(() => createZipf(0, 1)).toThrow(RangeError);
  });
});
