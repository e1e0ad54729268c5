/** `sluice dead-letters replay`: what would become of refused events, and with --yes what does. */
import { z } from "zod";
import { CommandProblem } from "../../command-problem.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";
import { createProgressBar } from "../../progress.ts";
import type { FilterFlags } from "./filter-flags.ts";

const result = z.looseObject({
  dlq_id: z.string(),
  status: z.enum(["accepted", "rejected", "unreplayable", "not_found", "retry"]),
  reason: z.string().optional(),
  errors: z.array(z.object({ error_type: z.string(), pointer: z.string() })).optional(),
});
const answer = z.object({ results: z.array(result), next_cursor: z.string().nullable() });

type Result = z.infer<typeof result>;

/** As many as one call takes. */
const CALL = 200;

export interface ReplayFlags {
  readonly yes: boolean;
  readonly json: boolean;
  readonly max: number;
  readonly schemaVersion: number | null;
  readonly acceptMasked: boolean;
  /** The command that does it. */
  readonly again: string;
}

/** Throws CommandProblem: USAGE for neither ids nor a topic, or both; PLATFORM_REFUSED when none of the ids is found; SEND_FAILED when some could not be stored. */
export async function replay(
  platform: PlatformAddress,
  ids: readonly string[],
  filter: FilterFlags,
  flags: ReplayFlags,
): Promise<void> {
  const { topic, from, to } = filter;
  if ((ids.length === 0) === (topic === undefined)) {
    throw new CommandProblem("USAGE", "sluice dead-letters replay takes ids, or --topic with other filters.");
  }
  const how = {
    dry_run: !flags.yes,
    schema_version: flags.schemaVersion,
    accept_masked: flags.acceptMasked,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
  const call = (which: object) =>
    callPlatform(platform, "POST", "/v1/dead-letters/replay", answer, { ...how, ...which });
  const results = ids.length > 0 ? await byIds(ids, call) : await byFilter(filter, flags.max, call);
  if (flags.json) console.log(JSON.stringify({ dry_run: !flags.yes, results }, null, 2));
  else for (const line of summary(results, flags)) console.log(line);
  if (ids.length > 0 && results.every(({ status }) => status === "not_found")) {
    throw new CommandProblem("PLATFORM_REFUSED", "There is no dead letter of these ids that the key may replay.");
  }
  const retry = results.filter(({ status }) => status === "retry").length;
  if (retry > 0) throw new CommandProblem("SEND_FAILED", `${retry} could not be stored: run the same command again.`);
}

type Call = (which: object) => Promise<z.infer<typeof answer>>;

async function byIds(ids: readonly string[], call: Call): Promise<Result[]> {
  const progress = createProgressBar("replay", ids.length);
  const results: Result[] = [];
  for (let start = 0; start < ids.length; start += CALL) {
    results.push(...(await call({ dlq_ids: ids.slice(start, start + CALL) })).results);
    progress.update(Math.min(ids.length, start + CALL));
  }
  if (ids.length > CALL) progress.finish();
  return results;
}

async function byFilter(filter: FilterFlags, max: number, call: Call): Promise<Result[]> {
  const { topic, "error-type": errorType, producer } = filter;
  const which = {
    topic,
    ...(errorType === undefined ? {} : { error_type: errorType }),
    ...(producer === undefined ? {} : { producer }),
  };
  const results: Result[] = [];
  let cursor: string | null = null;
  do {
    const page: z.infer<typeof answer> = await call({
      ...which,
      max: Math.min(CALL, max - results.length),
      ...(cursor === null ? {} : { cursor }),
    });
    results.push(...page.results);
    cursor = page.next_cursor;
    // How many there are in all is not known.
    if (cursor !== null) console.error(`${results.length} dead letters read`);
  } while (cursor !== null && results.length < max);
  // The same command would begin with the same ones: replayed dead letters stay.
  if (cursor !== null)
    console.error(`Stopped at --max ${max}: there may be more, received later. Give --max or --from.`);
  return results;
}

function summary(results: readonly Result[], { yes, again }: ReplayFlags): string[] {
  if (results.length === 0) return ["There is no such dead letter."];
  const texts: Readonly<Record<Result["status"], string>> = yes
    ? {
        accepted: "accepted and durable",
        rejected: "refused again: new dead letters",
        unreplayable: "cannot be replayed",
        not_found: "not found",
        retry: "not stored",
      }
    : {
        accepted: "would be accepted",
        rejected: "would be refused again",
        unreplayable: "cannot be replayed",
        not_found: "not found",
        retry: "not stored",
      };
  const lines: string[] = [];
  for (const [status, text] of Object.entries(texts)) {
    const own = results.filter((each) => each.status === status);
    if (own.length === 0) continue;
    lines.push(`${String(own.length).padStart(8)}  ${text}`);
    for (const [why, same] of Map.groupBy(own, whyOf)) {
      if (why !== "") lines.push(`${String(same.length).padStart(12)}  ${why}: ${same[0]?.dlq_id ?? ""}`);
    }
  }
  const some = (wanted: Result["status"]): boolean => results.some(({ status }) => status === wanted);
  if (some("not_found")) {
    lines.push(
      "\nNot found: the last seven days are searched; --from and --to name others, and list says what there is.",
    );
  }
  if (!yes && some("accepted")) lines.push(`\nNothing was sent. To do it:\n  ${again}`);
  else if (!yes) lines.push(some("rejected") ? "\nNothing was sent: mend the contract first." : "\nNothing was sent.");
  return lines;
}

function whyOf({ reason, errors = [] }: Result): string {
  const [first] = errors;
  return (
    reason ??
    (first === undefined ? "" : `${first.error_type} at ${first.pointer === "" ? "the event" : first.pointer}`)
  );
}
