/** The real bundle under faults and kills: lives that end by kill -9, then one whose faults end, and the judgement. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom, type Random } from "../../producers/simulators/random.ts";
import { buildBundle } from "../build/bundle.ts";
import { LOCAL_API_KEY } from "../local-platform/local-key.ts";
import { type Platform, startPlatform } from "../local-platform/platform.ts";
import { countPlanned, drawBuilderPlans, drawPlans, type Plans } from "./fault-plans.ts";
import { KILL } from "./faults/builder.ts";
import { isSettled, judge, type Verdict } from "./judge.ts";
import { BUILDER_KILL, type BuilderBeside, builderBeside } from "./native-builder.ts";
import { readUntilGone } from "./readers.ts";
import { EVENTS_PER_REQUEST, type SendersLog, type SendOptions, sendUntilGone } from "./senders.ts";
import { armFaults, CHAOS_VARS, FAULTS_BUNDLE, readFault, startVictim } from "./victim.ts";

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
  /** How many were planned, by the same names: a life may end before it meets them. */
  readonly planned: Readonly<Record<string, number>>;
  /** Answers to senders, and to readers, by status and problem code. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly reads: Readonly<Record<string, number>>;
  readonly verdict: Verdict;
}

const SENDERS = 3;
/** A batch is delivered within 1 s, flushed and then built after another each: kills fall before, into and after all of these. */
const SHORTEST_LIFE_MS = 500;
const LONGEST_LIFE_MS = 4_000;
/** A life of builders, should none of them come so far that it is killed. */
const BUILDERS_LIFE_MS = 10_000;
const CRON = "* * * * *";
/** How long a healed platform may take to have everything in its place. */
const SETTLE_MS = 120_000;

export async function runPlatformPhase(options: PlatformOptions): Promise<PlatformReport> {
  const root = resolve(import.meta.dirname, "../..");
  const folder = mkdtempSync(join(tmpdir(), "sluice-chaos-"));
  const stateDir = join(folder, "state");
  const run: Run = {
    ...{ root, stateDir, eventsPerSecond: options.eventsPerSecond },
    log: { sent: new Map(), accepted: new Set(), statuses: new Map() },
    ...{ faults: {}, planned: {}, reads: {} },
  };
  const random = createRandom(options.seed).fork("platform");
  const deadline = performance.now() + options.seconds * 1_000;
  let kills = 0;
  try {
    while (kills < options.kills && performance.now() < deadline) {
      // Every other life is of builders: with nothing else to do they come far enough to be killed in the middle of a step.
      const life = kills % 2 === 0 ? liveAndDie : buildAndDie;
      await life(run, kills, random.fork(`life-${kills}`));
      kills++;
      options.onKill?.(kills);
    }
    const verdict = await surviveAndJudge(run, random.fork("survivor"), options.onVerdict ?? (() => {}));
    const { log, faults, planned, reads } = run;
    const statuses = Object.fromEntries(log.statuses);
    return { kills, sent: log.sent.size, accepted: log.accepted.size, faults, planned, statuses, reads, verdict };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the lives of a run have in common. */
interface Run {
  readonly root: string;
  readonly stateDir: string;
  readonly eventsPerSecond: number;
  readonly log: SendersLog;
  readonly faults: Record<string, number>;
  readonly planned: Record<string, number>;
  readonly reads: Record<string, number>;
}

function count(counts: Record<string, number>, name: string, n = 1): void {
  counts[name] = (counts[name] ?? 0) + n;
}

/** A builder beside a life; killed within the time that is given. */
function withBuilder(run: Run, url: string, killWithinMs: number | undefined, random: Random): BuilderBeside {
  const dir = join(run.stateDir, "../builder");
  const killAfterMs = killWithinMs === undefined ? undefined : random.int(0, killWithinMs);
  return builderBeside({ url, apiKey: LOCAL_API_KEY }, dir, killAfterMs, () => count(run.faults, BUILDER_KILL));
}

async function arm(run: Run, url: string, plans: Plans): Promise<void> {
  for (const [fault, n] of Object.entries(countPlanned(plans))) count(run.planned, fault, n);
  await armFaults(url, plans);
}

/** Senders and a reader, until the platform is gone or it is over. */
async function traffic(
  run: Run,
  url: string,
  life: string,
  options: Pick<SendOptions, "onAccepted" | "isOver">,
): Promise<void> {
  const everyMs = (1_000 * SENDERS * EVENTS_PER_REQUEST) / run.eventsPerSecond;
  const senders = Array.from({ length: SENDERS }, (_, n) =>
    sendUntilGone(url, `c-${life}-${n}`, run.log, { everyMs, ...options }),
  );
  await Promise.all([...senders, readUntilGone(url, (name) => count(run.reads, name), options.isOver)]);
}

/**
 * One life: faults are armed, senders send, and after a random time the next 202 is the last; or it ends sooner, in the middle of a
 * build, where that is planned and a builder comes so far.
 */
async function liveAndDie(run: Run, life: number, random: Random): Promise<void> {
  // Every other one has an edge.
  const victim = await startVictim(run.stateDir, { edge: life % 4 === 2 }, (fault) => {
    count(run.faults, fault);
    if (fault === KILL) victim.kill();
  });
  const builder = withBuilder(run, victim.url, LONGEST_LIFE_MS, random.fork("builder"));
  try {
    await arm(run, victim.url, drawPlans(random));
    let armed = false;
    const onAccepted = () => {
      if (armed) victim.kill();
    };
    const ended = traffic(run, victim.url, String(life), { onAccepted });
    await Promise.race([delay(random.int(SHORTEST_LIFE_MS, LONGEST_LIFE_MS)), ended]);
    armed = true;
    await ended;
    await victim.gone;
  } finally {
    victim.kill();
    await builder.end();
  }
}

/** One life without senders: builders vanish, and with one of them all else, after some call of a step of what is to be built. */
async function buildAndDie(run: Run, _life: number, random: Random): Promise<void> {
  const victim = await startVictim(run.stateDir, { edge: false }, (fault) => {
    count(run.faults, fault);
    if (fault === KILL) victim.kill();
  });
  const builder = withBuilder(run, victim.url, BUILDERS_LIFE_MS, random.fork("builder"));
  try {
    await arm(run, victim.url, drawBuilderPlans(random));
    await Promise.race([victim.gone, delay(BUILDERS_LIFE_MS)]);
  } finally {
    victim.kill();
    await builder.end();
    await victim.gone;
  }
}

/**
 * The last life is not ended: its faults are, and it must put everything in its place by itself, whatever died in it. Waits until there
 * is nothing left to do, or the time is up: the verdict says what is missing then.
 */
async function surviveAndJudge(run: Run, random: Random, onVerdict: (verdict: Verdict) => void): Promise<Verdict> {
  const { root, stateDir } = run;
  const bundle = await buildBundle({ root, ...FAULTS_BUNDLE });
  const onWorkerLog = ({ message }: { readonly message: string }) => {
    const fault = readFault(message);
    if (fault !== undefined) count(run.faults, fault);
  };
  const vars = CHAOS_VARS;
  const platform = await startPlatform({ root, bundle, stateDir, port: 0, crons: "manual", vars, onWorkerLog });
  const builder = withBuilder(run, platform.url, undefined, random);
  try {
    await arm(run, platform.url, drawPlans(random));
    const over = performance.now() + LONGEST_LIFE_MS;
    const isOver = () => performance.now() > over;
    await Promise.all([traffic(run, platform.url, "survivor", { isOver }), runCronsUntil(platform, isOver)]);
    await armFaults(platform.url, {});
    await endWaits(platform);
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      await platform.runCron(CRON);
      const verdict = await judge(platform, run.log);
      onVerdict(verdict);
      if (isSettled(verdict) || verdict.doubled > 0 || performance.now() > deadline) return verdict;
      await delay(500);
    }
  } finally {
    await builder.end();
    await platform.stop();
  }
}

/** A tick that meets a fault fails; the next one goes on. */
async function runCronsUntil(platform: Platform, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await platform.runCron(CRON).catch(() => {});
    await delay(500);
  }
}

/**
 * A lost request is repeated after a minute, and what met faults waits before the next try: time that a run does not have. So these
 * waits end here, as if it had passed; the planner does the rest. Leases stay: a partition whose builder was killed does not wait
 * for its lease to run out, but goes on with the next delivery of its message.
 */
async function endWaits({ db }: Platform): Promise<void> {
  await db.prepare("UPDATE partition_leases SET queued_at = 0, not_before = 0").run();
}
