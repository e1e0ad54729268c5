/** `sluice send`: a file or a pipe of events to a topic. */
import { createReadStream, statSync } from "node:fs";
import { extname } from "node:path";
import type { DeliveryProblem } from "../../producers/client/client.ts";
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import { createProgressBar } from "../progress.ts";
import type { Command } from "./command.ts";
import { type DeliveryReport, deliver } from "./send/deliver.ts";
import { beginBronzeWait } from "./send/lag.ts";
import { readDocument, readLines } from "./send/read-events.ts";

const HELP = `sluice send FILE|- --topic T [flags]

Sends events, in requests of up to 500, several at once, each event as it stands in the file. What the gateway could not
store is sent again. Rejected events stand in the dead letters; the first 20 are listed with their lines and every reason,
and the exit code is 1.

  --topic T           where to; sluice refuses one that does not exist
  --format F          ndjson: one event per line. json: an array, or one event. By the file's name if not given
  --wait              returns when these events are readable in bronze, whatever others send meanwhile; the key
                      needs TOPIC:read too
  --wait-timeout S    how long --wait waits (600)
  --allow-rejects     exit code 0 though some were rejected
  --batch N           events per request at most (500)
${platformHelp("a key with the scope T:write", 22)}`;

export const command: Command = {
  summary: "sends a file of events, and says which were rejected",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      options: {
        topic: { type: "string" },
        format: { type: "string" },
        wait: { type: "boolean", default: false },
        "wait-timeout": { type: "string", default: "600" },
        "allow-rejects": { type: "boolean", default: false },
        batch: { type: "string", default: "500" },
        ...PLATFORM_OPTIONS,
      },
      allowPositionals: true,
    });
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0)
      throw new CommandProblem("USAGE", "sluice send takes one file, or - for standard input; --help says more.");
    const { topic } = values;
    if (topic === undefined) throw new CommandProblem("USAGE", "sluice send needs --topic TOPIC; --help says more.");
    const platform = platformOf(values);
    const batch = integerFlag("batch", values.batch, 1, 10_000);
    const waitMs = integerFlag("wait-timeout", values["wait-timeout"], 1, 86_400) * 1_000;
    const read = formatOf(values.format, file) === "json" ? readDocument : readLines;

    const size = file === "-" ? null : sizeOf(file);
    const bar = size === null ? null : createProgressBar(`sending ${file}`, size);
    const events = read(size === null ? process.stdin : createReadStream(file));
    const bronze = values.wait ? await beginBronzeWait(platform, topic) : null;
    const onTrouble = oncePerCode((problem) => console.error(`\n${describe(platform.url, problem)}: trying again`));
    const startedMs = performance.now();
    const onProgress = (report: DeliveryReport, bytes: number) => bar?.update(bytes, countsOf(report));
    const report = await deliver({ ...platform, topic, batch, events, onTrouble, onProgress });
    bar?.finish(countsOf(report));

    printReport(file, report, performance.now() - startedMs);
    if (report.failure !== null) throw failureOf(platform.url, report, report.failure);
    if (bronze !== null && report.accepted > 0) {
      const waiting = createProgressBar("into bronze", report.accepted);
      await bronze.until(report.accepted, waitMs, (rows) => waiting.update(Math.min(rows, report.accepted)));
      waiting.finish();
      console.log(`readable in bronze_${topic}`);
    }
    if (report.rejected > 0 && !values["allow-rejects"]) process.exitCode = 1;
  },
};

function formatOf(flag: string | undefined, file: string): "json" | "ndjson" {
  if (flag === "json" || flag === "ndjson") return flag;
  if (flag !== undefined) throw new CommandProblem("USAGE", `--format is ndjson or json, not "${flag}".`);
  return extname(file) === ".json" ? "json" : "ndjson";
}

function sizeOf(file: string): number {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() === true) return stats.size;
  throw new CommandProblem("USAGE", `There is no file ${file}.`);
}

function countsOf({ accepted, rejected }: DeliveryReport): string {
  return `${accepted} accepted${rejected === 0 ? "" : `, ${rejected} rejected`}`;
}

function printReport(file: string, report: DeliveryReport, tookMs: number): void {
  const { accepted, rejected, undelivered, rejections } = report;
  const counts = `${countsOf(report)}${undelivered === 0 ? "" : `, ${undelivered} undelivered`}`;
  const source = file === "-" ? "standard input" : file;
  const events = accepted + rejected + undelivered;
  console.log(
    `${events} ${events === 1 ? "event" : "events"} of ${source}: ${counts} (${(tookMs / 1_000).toFixed(1)} s)`,
  );
  for (const { position, eventId, reasons } of rejections) {
    const label = `  ${String(position).padStart(6)}  ${eventId ?? "-"}  `;
    console.log(label + reasons.join(`\n${" ".repeat(label.length)}`));
  }
  if (rejected > rejections.length) console.log(`  and ${rejected - rejections.length} more; see the dead letters`);
}

function failureOf(url: string, { undelivered }: DeliveryReport, problem: DeliveryProblem): CommandProblem {
  const advice =
    problem.httpStatus === null ? " Start the platform (npm run dev), or give its address with --url." : "";
  const message = `${describe(url, problem)}.${advice} ${undelivered} ${undelivered === 1 ? "event is" : "events are"} not known to be stored, and the rest of the file was not read; events that are sent twice are recognised by their id.`;
  return new CommandProblem("SEND_FAILED", message);
}

function describe(url: string, { httpStatus, code, detail }: DeliveryProblem): string {
  const said = detail === "" ? code : `${code}, ${detail}`;
  return httpStatus === null ? `${url} does not answer (${detail})` : `${url} answered ${httpStatus} (${said})`;
}

function oncePerCode(tell: (problem: DeliveryProblem) => void): (problem: DeliveryProblem) => void {
  const told = new Set<string>();
  return (problem) => {
    if (told.has(problem.code)) return;
    told.add(problem.code);
    tell(problem);
  };
}
