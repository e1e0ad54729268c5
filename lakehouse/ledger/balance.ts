/**
 * Closes the ledger: what was appended is in bronze, buffered or parked; what is in bronze is in silver, or is a copy, superseded,
 * quarantined or expired, or waits for a build. What is none of these is a difference. Pure.
 */
import type { AppendedHour, BronzeHour, LedgerState, ParkedHour } from "../../sql/statements/ledger-balance.ts";

/** Buffered for longer than this is no longer on its way: flushes come within minutes, their retries within five more. */
export const BUFFERED_MS = 3_600_000;

/**
 * A build that was committed so much later than a file was registered has read the file: no lease is longer (lakehouse/builds/build.ts),
 * and a builder lists its files after it got the lease.
 */
export const BUILD_MS = 16 * 60_000;

/** Terms in events. Of `bronze`: `silver + duplicates + superseded + quarantined + expired + unbuilt`, but for the difference. */
export interface BronzeTerms {
  readonly bronze: number;
  readonly silver: number;
  /** Of silver and quarantined: refused at first, then brought in by a replay, so in `rejected` as well. */
  readonly replayed: number;
  readonly duplicates: number;
  readonly superseded: number;
  readonly quarantined: number;
  readonly expired: number;
  /** In bronze, waiting for the next build of their partition. */
  readonly unbuilt: number;
  /** Events that should be somewhere and are not; below zero: more than there should be. */
  readonly difference: number;
}

/** A topic's events received in one hour. */
export interface HourBalance extends BronzeTerms {
  readonly topic: string;
  readonly hour: string;
  /** Appended to buffers, by messages that the queue delivered. `bronze + buffered + parked`, but for the difference. */
  readonly accepted: number;
  /** Of slices that could not be written: whole in the lake. */
  readonly parked: number;
  /** In the dead letters. */
  readonly rejected: number;
  readonly buffered: number;
}

/** A topic's events of one partition that were received in the hours asked for. */
export interface PartitionBalance extends BronzeTerms {
  readonly topic: string;
  readonly partition_date: string;
}

/** By topic and hour, in this order. `now` in milliseconds since the epoch. */
export function balanceByHour(state: LedgerState, now: number): HourBalance[] {
  const keyOf = ({ topic, hour }: { topic: string; hour: string }): string => `${topic} ${hour}`;
  const bronze = Map.groupBy(state.bronze, keyOf);
  const appended = new Map(state.appended.map((line) => [keyOf(line), line]));
  const rejected = new Map(state.rejected.map((line) => [keyOf(line), line.events]));
  const parked = new Map(state.parked.map((line) => [keyOf(line), line]));
  const keys = new Set([...appended.keys(), ...rejected.keys(), ...bronze.keys(), ...parked.keys()]);
  return [...keys].sort().map((key) => {
    const [topic = "", hour = ""] = key.split(" ");
    const terms = sumOf((bronze.get(key) ?? []).map((cell) => termsOf(cell, now)));
    const line = appended.get(key) ?? { topic, hour, events: 0, published_at: null };
    const aside = parked.get(key) ?? { topic, hour, events: 0, redriven_at: null };
    const { buffered, difference } = bufferedOf(line, terms.bronze, aside, now);
    return {
      topic,
      hour,
      accepted: line.events,
      rejected: rejected.get(key) ?? 0,
      buffered,
      parked: aside.events,
      ...terms,
      difference: combined([terms.difference, difference]),
    };
  });
}

/** By topic and partition date, in this order. What is not in bronze yet has no partition. */
export function balanceByPartition(state: LedgerState, now: number): PartitionBalance[] {
  const cells = Map.groupBy(state.bronze, ({ topic, partition_date }) => `${topic} ${partition_date}`);
  return [...cells]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, of]) => {
      const [topic = "", partition_date = ""] = key.split(" ");
      return { topic, partition_date, ...sumOf(of.map((cell) => termsOf(cell, now))) };
    });
}

/**
 * A total is published with the bronze rows and parked slices it includes, so these can never be ahead; it may be behind until the
 * next flush. What is sent on out of parking is behind as well until its next flush.
 */
function bufferedOf(line: AppendedHour, bronze: number, parked: ParkedHour, now: number) {
  const open = line.events - bronze - parked.events;
  // Totals and files from before they were dated are not judged.
  if (line.published_at === null) return { buffered: Math.max(0, open), difference: 0 };
  const movedAt = Math.max(
    Date.parse(line.published_at),
    parked.redriven_at === null ? 0 : Date.parse(parked.redriven_at),
  );
  const onItsWay = open > 0 && movedAt + BUFFERED_MS > now;
  return onItsWay ? { buffered: open, difference: 0 } : { buffered: 0, difference: open };
}

function termsOf(cell: BronzeHour, now: number): BronzeTerms {
  const { bronze, silver, replayed, duplicates, superseded, quarantined, expired } = cell;
  const rest = bronze - silver - duplicates - superseded - quarantined - expired;
  const difference = isBuilt(cell, now) ? rest : 0;
  const unbuilt = rest - difference;
  return { bronze, silver, replayed, duplicates, superseded, quarantined, expired, unbuilt, difference };
}

/** Whether the partition's last build has seen every row of the cell. */
function isBuilt({ registered_at, current, built_at }: BronzeHour, now: number): boolean {
  if (registered_at === null || built_at === null) return false;
  // A time from the future was noted by a clock that has gone back since.
  return current === 1 || Date.parse(built_at) >= Math.min(Date.parse(registered_at), now) + BUILD_MS;
}

const NOTHING: BronzeTerms = {
  bronze: 0,
  silver: 0,
  replayed: 0,
  duplicates: 0,
  superseded: 0,
  quarantined: 0,
  expired: 0,
  unbuilt: 0,
  difference: 0,
};

/** Of opposite signs they are two faults, which a sum would hide: then what is missing counts, or the surplus if that is more. */
function combined(differences: readonly number[]): number {
  const missing = differences.reduce((sum, each) => sum + Math.max(0, each), 0);
  const surplus = differences.reduce((sum, each) => sum + Math.max(0, -each), 0);
  return surplus > missing ? -surplus : missing;
}

function sumOf(terms: readonly BronzeTerms[]): BronzeTerms {
  const difference = combined(terms.map((one) => one.difference));
  return terms.reduce(
    (sum, one) => ({
      bronze: sum.bronze + one.bronze,
      silver: sum.silver + one.silver,
      replayed: sum.replayed + one.replayed,
      duplicates: sum.duplicates + one.duplicates,
      superseded: sum.superseded + one.superseded,
      quarantined: sum.quarantined + one.quarantined,
      expired: sum.expired + one.expired,
      unbuilt: sum.unbuilt + one.unbuilt,
      difference,
    }),
    NOTHING,
  );
}
