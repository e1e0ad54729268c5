/**
 * The duty that walks `shards`: pokes buffers which have been silent, notes what they hold, holds off the producers of topics that
 * are far behind and lets them go again, and takes shards off the walk that nothing can come to any more.
 */
import * as z from "zod";
import type { Contract } from "../../contracts/contract.ts";
import { type ShardAddress, type TopicBufferNamespace, topicBuffer } from "../../durable-objects/stubs.ts";
import {
  flushLimits,
  HOLD_OFF_MS,
  type PressureLimits,
  pressureReason,
} from "../../durable-objects/topic-buffer/limits.ts";
import { putBackPressure, releaseBackPressure } from "../../sql/statements/back-pressure.ts";
import { readCursor } from "../../sql/statements/duty-backlogs.ts";
import {
  type Backlog,
  reportPoke,
  retireShard,
  type ShardName,
  type ShardRow,
  walkShards,
} from "../../sql/statements/shards.ts";
import type { Duty, DutyReport } from "../duties.ts";
import { backlogOf, differs, isSuspect, TopicPressure } from "./decide.ts";

export interface WatchdogDeps<Id> {
  readonly db: D1Database;
  readonly buffers: TopicBufferNamespace<Id>;
  /** Undefined for a topic that has none any more. */
  contractOf(topic: string): Pick<Contract, "shards" | "flush"> | undefined;
  /** `FLUSH_AGE_SECONDS`. */
  readonly flushAgeSeconds: string;
  readonly pressure: PressureLimits;
  log(event: Readonly<Record<string, unknown>>): void;
}

const PAGE = 200;
/** Of one run, and so many runs a tick: of the 10,000 requests that a tick may make, others need some. */
const SHARDS_A_RUN = 2_000;
const RUNS_A_TICK = 3;
/** As many connections may wait at once in a Worker (PLATFORM, Limits). */
const CONCURRENT_POKES = 6;
/** What a topic without a contract is held to. */
const NO_CONTRACT_AGE_MS = 60_000;

/** A walk that a run cannot end goes on where it was cut short, in the next run or the next tick. */
export function watchdog<Id>(deps: WatchdogDeps<Id>): Duty {
  return {
    name: "watchdog",
    everyMinutes: 1,
    runsATick: RUNS_A_TICK,
    run: (now, cursor) => walk(deps, now, cursor === null ? null : readCursor(cursor, shardName)),
  };
}

async function walk<Id>(deps: WatchdogDeps<Id>, now: number, from: ShardName | null): Promise<DutyReport> {
  const { db } = deps;
  const time = new Date(now).toISOString();
  const topics = new TopicPressure(deps.pressure, now);
  const silent = new Set<string>();
  const counts = { shards: 0, poked: 0, failed: 0, waiting: 0, retired: 0 };
  let after = from;
  do {
    const page = await walkShards(db, after, PAGE);
    const asked = page.filter((row) => isSuspect(row, flushAgeMs(deps, row), deps.pressure, now));
    const answers = await pokeAll(deps, asked);
    const writes: D1PreparedStatement[] = [];
    for (const row of page) {
      const answer = answers.get(row);
      if (answer instanceof Error) {
        counts.failed++;
        silent.add(row.topic);
        deps.log({ event: "poke_failed", ...addressOf(row), error: String(answer) });
      }
      const backlog = answer === undefined || answer instanceof Error ? backlogOf(row) : answer;
      topics.add(row, backlog);
      if (answer === undefined || answer instanceof Error) continue;
      if (answer.oldestAt !== null) counts.waiting++;
      if (differs(row, answer)) writes.push(reportPoke(db, nameOf(row), answer));
      else if (answer.oldestAt === null && (await isRetired(deps, row))) {
        counts.retired++;
        writes.push(retireShard(db, nameOf(row), row.listed_at, time));
      }
    }
    if (writes.length > 0) await db.batch(writes);
    counts.shards += page.length;
    counts.poked += asked.length;
    const last = page.at(-1);
    after = page.length < PAGE || last === undefined ? null : nameOf(last);
  } while (after !== null && counts.shards < SHARDS_A_RUN);
  const whole = from === null && after === null;
  const held = await holdOff(deps, topics, silent, whole, now);
  return {
    ...counts,
    held,
    ...(whole ? {} : { partial: true }),
    ...(after === null ? {} : { more: "now", cursor: JSON.stringify(after) }),
  };
}

const shardName = z.object({ topic: z.string(), shard: z.int(), shardOf: z.int() });

/** Holds off what is far behind; what is not is let go, if all of it was seen. */
async function holdOff<Id>(
  { db }: WatchdogDeps<Id>,
  topics: TopicPressure,
  silent: ReadonlySet<string>,
  whole: boolean,
  now: number,
): Promise<number> {
  const time = new Date(now).toISOString();
  const until = new Date(now + HOLD_OFF_MS).toISOString();
  const far = topics.farBehind();
  const writes = far.map(({ row, backlog }) => {
    const reason = pressureReason(row.shard, row.shard_of, backlog, now);
    return putBackPressure(db, { topic: row.topic, until, reason }, time);
  });
  if (whole) writes.push(releaseBackPressure(db, [...topics.held(), ...silent], time));
  if (writes.length > 0) await db.batch(writes);
  return far.length;
}

/** What the buffers answered, or why one did not. */
async function pokeAll<Id>(deps: WatchdogDeps<Id>, rows: readonly ShardRow[]): Promise<Map<ShardRow, Backlog | Error>> {
  const answers = new Map<ShardRow, Backlog | Error>();
  for (let at = 0; at < rows.length; at += CONCURRENT_POKES) {
    await Promise.all(
      rows.slice(at, at + CONCURRENT_POKES).map(async (row) => {
        const address = addressOf(row);
        try {
          answers.set(row, await topicBuffer(deps.buffers, address).poke(address));
        } catch (error) {
          answers.set(row, error instanceof Error ? error : new Error(String(error)));
        }
      }),
    );
  }
  return answers;
}

/** Whether a shard of a count that is no longer the contract's is done for: its buffer says so itself. */
async function isRetired<Id>(deps: WatchdogDeps<Id>, row: ShardRow): Promise<boolean> {
  if (deps.contractOf(row.topic)?.shards === row.shard_of) return false;
  const address = addressOf(row);
  try {
    return await topicBuffer(deps.buffers, address).retire(address);
  } catch (error) {
    deps.log({ event: "retire_failed", ...address, error: String(error) });
    return false;
  }
}

function flushAgeMs<Id>(deps: WatchdogDeps<Id>, row: ShardRow): number {
  const contract = deps.contractOf(row.topic);
  return contract === undefined ? NO_CONTRACT_AGE_MS : flushLimits(contract, deps.flushAgeSeconds).ageMs;
}

function addressOf(row: ShardRow): ShardAddress {
  return { topic: row.topic, shard: row.shard, of: row.shard_of };
}

function nameOf(row: ShardRow): ShardName {
  return { topic: row.topic, shard: row.shard, shardOf: row.shard_of };
}
