/** What a life of the platform is to meet: from the seed alone, and of every kind. */
import { expect, test } from "vitest";
import { createRandom } from "../../../../producers/simulators/random.ts";
import { countPlanned, drawBuilderPlans, drawPlans } from "../../../../tools/chaos/fault-plans.ts";
import { faultOf, spellAt } from "../../../../tools/chaos/faults/plans.ts";

const lives = Array.from({ length: 200 }, (_, life) => drawPlans(createRandom(1).fork(`life-${life}`)));

test("the same seed plans the same faults, another seed others", () => {
  const draw = (seed: number) => drawPlans(createRandom(seed).fork("life-0"));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test("no call meets two faults, and a call that is reset in the middle meets no other", () => {
  for (const plan of lives.flatMap((plans) => Object.values(plans))) {
    const { always: _, aborts = [], spells: __, ...faults } = plan;
    const numbers = [...Object.values(faults).flat(), ...aborts.map(({ call }) => call)];
    expect(new Set(numbers).size).toBe(numbers.length);
  }
});

test("in enough lives every kind of fault is planned, and the plans are counted by the names that are logged", () => {
  const kinds = new Set(lives.flatMap((plans) => Object.keys(countPlanned(plans))));
  const wanted = [
    ...["LAKE.put fail", "LAKE.put slow", "LAKE.put lose", "LAKE.put crash", "DB.batch fail", "DB.batch lose"],
    ...["TopicBuffer.alarm fail", "TopicBuffer.alarm twice", "TopicBuffer.alarm abort", "TopicBuffer.append abort"],
    ...["queue twice", "queue reverse", "queue again", "queue hold", "queue lose", "queue fail"],
    ...["TOPIC_ORDERS.send fail", "TOPIC_ORDERS.send lose", "TOPIC_ORDERS.send slow", "DB down", "DB mute"],
    "build abort",
  ];
  expect([...kinds]).toEqual(expect.arrayContaining(wanted));
  expect(
    countPlanned({
      "TopicBuffer.alarm": { fail: [1], aborts: [2, 3].map((call) => ({ call, step: 1 })) },
      DB: { spells: [{ from: 0, to: 10, fault: "down" }] },
    }),
  ).toEqual({ "TopicBuffer.alarm fail": 1, "TopicBuffer.alarm abort": 2, "DB down": 1 });
});

test("a life of builders ends with one of them, and others vanish before", () => {
  const plans = Array.from({ length: 50 }, (_, life) => countPlanned(drawBuilderPlans(createRandom(life))));
  expect(plans.every((plan) => plan["builder abort"] === 1)).toBe(true);
  expect(plans.some((plan) => (plan["build abort"] ?? 0) > 2)).toBe(true);
});

test("spells of D1 take seconds, some from the first moment, and not every life has one", () => {
  const spells = lives.flatMap((plans) => plans["DB"]?.spells ?? []);
  expect(spells.length).toBeGreaterThan(50);
  expect(spells.length).toBeLessThan(150);
  for (const { from, to } of spells) expect(to - from).toBeGreaterThanOrEqual(1_000);
  expect(spells.some(({ from }) => from === 0)).toBe(true);
});

test("a call's number decides its fault, and the time its spell", () => {
  expect(faultOf({ fail: [1], lose: [2] }, 2)).toBe("lose");
  expect(faultOf({ fail: [1], lose: [2] }, 3)).toBeUndefined();
  expect(faultOf({ always: true }, 3)).toBe("fail");
  const spells = [{ from: 100, to: 200, fault: "mute" }] as const;
  expect([99, 100, 199, 200].map((ms) => spellAt(spells, ms)?.fault)).toEqual([undefined, "mute", "mute", undefined]);
});
