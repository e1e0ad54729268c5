/** What a run says at its end: a table for people, and a line of JSON for scripts. */
import { KILL } from "./faults/builder.ts";
import { isClean } from "./judge.ts";
import type { PlatformReport } from "./platform-phase.ts";
import type { SchedulesReport } from "./schedules-phase.ts";

export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly schedules: SchedulesReport;
  readonly platform: PlatformReport;
}

/** Whether every promise held, and was given: a platform that accepts nothing loses nothing. */
export function isOk({ schedules, platform }: ChaosReport): boolean {
  return schedules.failure === null && isClean(platform.verdict) && platform.accepted > 0;
}

export function printReport(report: ChaosReport, print: (line: string) => void): void {
  const { schedules, platform, seed, seconds } = report;
  const { verdict } = platform;
  const ok = isOk(report);
  if (schedules.failure !== null) print(`FAILED  a schedule, ${schedules.failure}`);
  printCounts("what the schedules met", schedules.faults, print);
  printCounts("faults of the platform, of how many planned", platform.faults, print, platform.planned);
  printCounts("answers to senders", platform.statuses, print);
  printCounts("answers to readers", platform.reads, print);
  print("");
  if (platform.accepted === 0) print("FAILED  no batch was answered 202: nothing was tried");
  const neverMet = Object.keys(platform.planned).filter((fault) => platform.faults[fault] === undefined);
  for (const what of neverMet) print(`NOT MET ${what}`);
  for (const what of verdict.stuck.slice(0, 20)) print(`STUCK   ${what}`);
  const figures = {
    schedules: schedules.schedules,
    kills: platform.kills,
    faults: Object.values(platform.faults).reduce((sum, n) => sum + n, 0),
    faults_not_met: neverMet.length,
    events: platform.sent,
    accepted: platform.accepted,
    in_bronze: verdict.inBronze,
    lost: verdict.lost,
    doubled: verdict.doubled,
    unknown: verdict.unknown,
    unregistered: verdict.unregistered,
    stuck: verdict.stuck.length,
    builders_gone: (platform.faults["build abort"] ?? 0) + (platform.faults[KILL] ?? 0),
    silver_wrong: verdict.tables?.silverWrong ?? null,
    gold_wrong: verdict.tables?.goldWrong ?? null,
    half_published: verdict.tables?.halfPublished ?? null,
  };
  for (const [name, n] of Object.entries(figures)) print(`${String(n ?? "-").padStart(9)}  ${name}`);
  const failed = schedules.failure === null ? 0 : 1;
  print(JSON.stringify({ bench: "chaos", ok, seed, ...figures, failed_schedules: failed, seconds }));
}

/** `planned`: how many there could have been, where that is known. */
function printCounts(
  title: string,
  counts: Readonly<Record<string, number>>,
  print: (line: string) => void,
  planned: Readonly<Record<string, number>> = {},
): void {
  print(`\n${title}`);
  for (const [what, n] of Object.entries(counts).sort(([a], [b]) => a.localeCompare(b))) {
    const of = planned[what];
    print(`${String(n).padStart(9)}  ${what}${of === undefined ? "" : ` (of ${of})`}`);
  }
}
