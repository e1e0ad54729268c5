/** The real bundle under faults and kills: lives that end by kill -9, then a platform without faults, and the judgement. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom, type Random } from "../../producers/simulators/random.ts";
import { buildBundle } from "../build/bundle.ts";
import { type Platform, startPlatform } from "../local-platform/platform.ts";
import { drawPlans } from "./fault-plans.ts";
import { isSettled, judge, type Verdict } from "./judge.ts";
import { EVENTS_PER_REQUEST, type SendersLog, sendUntilGone } from "./senders.ts";
import { startVictim } from "./victim.ts";

export interface PlatformOptions {
  readonly seed: number;
  readonly kills: number;
  readonly eventsPerSecond: number;
  /** No life begins after so long; Infinity for no bound. */
  readonly seconds: number;
  readonly onKill?: (kills: number) => void;
  /** Hears what is still missing while the healed platform settles. */
  readonly onVerdict?: (verdict: Verdict) => void;
}

export interface PlatformReport {
  readonly kills: number;
  readonly sent: number;
  readonly accepted: number;
  /** Injected faults by `<call> <fault>`. */
  readonly faults: Readonly<Record<string, number>>;
  readonly statuses: Readonly<Record<string, number>>;
  readonly verdict: Verdict;
}

const SENDERS = 3;
/** A batch is delivered within 1 s and flushed after another: kills fall before, into and after both. */
const SHORTEST_LIFE_MS = 500;
const LONGEST_LIFE_MS = 4_000;
/** How long a healed platform may take to have everything in its place. */
const SETTLE_MS = 120_000;

export async function runPlatformPhase(options: PlatformOptions): Promise<PlatformReport> {
  const root = resolve(import.meta.dirname, "../..");
  const folder = mkdtempSync(join(tmpdir(), "sluice-chaos-"));
  const stateDir = join(folder, "state");
  const log: SendersLog = { sent: new Set(), accepted: new Set(), statuses: new Map() };
  const faults: Record<string, number> = {};
  const onFault = (fault: string) => {
    faults[fault] = (faults[fault] ?? 0) + 1;
  };
  const random = createRandom(options.seed).fork("platform");
  const deadline = performance.now() + options.seconds * 1_000;
  let kills = 0;
  try {
    while (kills < options.kills && performance.now() < deadline) {
      await liveAndDie(stateDir, kills, options.eventsPerSecond, random.fork(`life-${kills}`), log, onFault);
      kills++;
      options.onKill?.(kills);
    }
    const verdict = await healAndJudge(root, stateDir, log, options.onVerdict ?? (() => {}));
    const statuses = Object.fromEntries(log.statuses);
    return { kills, sent: log.sent.size, accepted: log.accepted.size, faults, statuses, verdict };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One life: faults are armed, senders send, and after a random time the next 202 is the last. */
async function liveAndDie(
  stateDir: string,
  life: number,
  eventsPerSecond: number,
  random: Random,
  log: SendersLog,
  onFault: (fault: string) => void,
): Promise<void> {
  // Every other life has an edge.
  const victim = await startVictim(stateDir, { edge: life % 2 === 1 }, onFault);
  try {
    await victim.arm(drawPlans(random));
    let armed = false;
    const kill = () => {
      if (armed) victim.kill();
    };
    const everyMs = (1_000 * SENDERS * EVENTS_PER_REQUEST) / eventsPerSecond;
    const senders = Array.from({ length: SENDERS }, (_, n) =>
      sendUntilGone(victim.url, `c-${life}-${n}`, everyMs, log, kill),
    );
    await Promise.race([delay(random.int(SHORTEST_LIFE_MS, LONGEST_LIFE_MS)), Promise.all(senders)]);
    armed = true;
    await Promise.all(senders);
    await victim.gone;
  } finally {
    victim.kill();
  }
}

/** Starts without faults and waits until there is nothing left to do, or the time is up: the verdict says what is missing then. */
async function healAndJudge(
  root: string,
  stateDir: string,
  log: SendersLog,
  onVerdict: (verdict: Verdict) => void,
): Promise<Verdict> {
  const bundle = await buildBundle({ root, outdir: "dist" });
  const vars = { FLUSH_AGE_SECONDS: "1" };
  const platform: Platform = await startPlatform({ root, bundle, stateDir, port: 0, crons: "manual", vars });
  try {
    await endWaits(platform);
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      await platform.runCron("* * * * *");
      const verdict = await judge(platform, log);
      onVerdict(verdict);
      if (isSettled(verdict) || verdict.doubled > 0 || performance.now() > deadline) return verdict;
      await delay(500);
    }
  } finally {
    await platform.stop();
  }
}

/**
 * A builder that was killed holds its partition for as long as a build may take, a lost request is repeated after a minute, and who
 * met faults waits before the next try: time that a run does not have. So the waits end here, as if it had passed; the
 * planner does the rest.
 */
async function endWaits({ db }: Platform): Promise<void> {
  await db.prepare("UPDATE partition_leases SET lease_until = 0, queued_at = 0, not_before = 0").run();
}
