/** `sluice send --wait`: others' rows make up the count, and it waits for its own all the same. */
import { createServer } from "node:http";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { beginBronzeWait } from "../../../tools/cli/send/lag.ts";
import { BEGINNING, CLOCK_MARGIN_MS, type Look, nextProgress } from "../../../tools/cli/send/own-events.ts";

const ANSWERED = 1_000_000;
const look = (asOf: number, rows: number, oldestSent: number | null, oldestAppended: number | null): Look => ({
  asOf,
  rows,
  waiting: { oldestSent, oldestAppended },
});
const after = (...looks: readonly Look[]) =>
  looks.reduce((progress, each) => nextProgress(progress, each, { answered: ANSWERED, accepted: 10 }), BEGINNING);

test("the count, then the queue at two looks in a row, then the buffers", () => {
  const empty = look(ANSWERED + 5_000, 10, null, null);
  expect(after(look(ANSWERED, 9, null, null), look(ANSWERED, 9, null, null)).done).toBe(false);
  expect(after(empty).done).toBe(false);
  expect(after(empty, empty).done).toBe(true);
  const queued = look(ANSWERED + 5_000, 10, ANSWERED - 1, null);
  expect(after(empty, queued, empty).done).toBe(false);
  expect(after(queued, empty, empty).done).toBe(true);
});

test("others that never stop sending are not waited for", () => {
  const busy = (asOf: number) => look(asOf, 50, ANSWERED + CLOCK_MARGIN_MS + 1, asOf - 100);
  const drained = after(busy(ANSWERED + 5_000), busy(ANSWERED + 6_000));
  expect(drained).toMatchObject({ appendedBy: ANSWERED + 6_000, done: false });
  const next = (asOf: number) => nextProgress(drained, busy(asOf), { answered: ANSWERED, accepted: 10 });
  expect(next(ANSWERED + 7_000).done).toBe(false);
  expect(next(ANSWERED + 7_102).done).toBe(true);
});

test("never done while an event of ours is in the queue or a buffer, whenever others' come and go", () => {
  const time = fc.integer({ min: 1, max: 60 }).map((seconds) => seconds * 1_000);
  fc.assert(
    fc.property(
      // Ours: appended, then flushed. Others' oldest at each look, as ages.
      fc.record({ appended: time, flushed: time }),
      fc.array(fc.record({ queue: fc.option(time), buffer: fc.option(time), rows: fc.integer({ min: 0, max: 30 }) }), {
        maxLength: 80,
      }),
      ({ appended, flushed }, others) => {
        const [appendedAt, flushedAt] = [ANSWERED + appended, ANSWERED + appended + flushed];
        let progress = BEGINNING;
        others.forEach(({ queue, buffer, rows }, second) => {
          const asOf = ANSWERED + second * 1_000;
          const oldest = (own: number | null, age: number | null) => {
            const times = [own, age === null ? null : asOf - age].filter((each) => each !== null);
            return times.length === 0 ? null : Math.min(...times);
          };
          const queued = asOf < appendedAt;
          const buffered = !queued && asOf < flushedAt;
          const waiting = {
            oldestSent: oldest(queued ? ANSWERED : null, queue),
            oldestAppended: oldest(buffered ? appendedAt : null, buffer),
          };
          progress = nextProgress(progress, { asOf, rows, waiting }, { answered: ANSWERED, accepted: 10 });
          if (progress.done) expect(queued || buffered).toBe(false);
        });
      },
    ),
  );
});

let close = () => {};
afterEach(() => close());

test("asks the queue and the buffers only once the count is there, and says what is missing when the time is up", async () => {
  const asked: string[] = [];
  let rows = 5;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    asked.push(url.searchParams.get("waiting") ?? "-");
    const waiting = { queue: { oldest_sent: null }, buffers: { oldest_appended: null } };
    const more = url.searchParams.has("waiting") ? { waiting } : {};
    response.end(JSON.stringify({ as_of: new Date().toISOString(), bronze: { rows }, ...more }));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  close = () => void server.close();
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no address");
  const wait = await beginBronzeWait({ url: `http://127.0.0.1:${address.port}`, key: "k" }, "orders", 5);
  await expect(wait.until(3, 20, () => {})).rejects.toMatchObject({
    code: "NOT_READABLE",
    message: expect.stringContaining("bronze shows 0 of them"),
  });
  expect(new Set(asked)).toEqual(new Set(["-"]));
  rows = 8;
  await wait.until(3, 10_000, () => {});
  expect(asked.slice(-2)).toEqual(["true", "true"]);
});
