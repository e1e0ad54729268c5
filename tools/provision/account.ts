/** What wrangler says is in the account already. */
import { z } from "zod";
import { CommandProblem } from "../command-problem.ts";
import { LISTS } from "./plan.ts";
import type { Wrangler, WranglerAnswer } from "./wrangler.ts";

const databasesSchema = z.array(z.looseObject({ name: z.string(), uuid: z.string() }));
const secretsSchema = z.array(z.looseObject({ name: z.string() }));

/** A guard against a listing that would never end: a hundred pages are thousands of queues. */
const MAX_PAGES = 100;

/** The names of all queues. `wrangler queues list` has no JSON: its table's columns are id, name and so on. */
export async function listQueues(wrangler: Wrangler, env: string): Promise<Set<string>> {
  const names = new Set<string>();
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { stdout } = await answerTo(wrangler, LISTS.queue(env, page));
    const found = namesInTable(stdout).filter((name) => !names.has(name));
    if (found.length === 0) break;
    for (const name of found) names.add(name);
  }
  return names;
}

function namesInTable(table: string): string[] {
  return table.split("\n").flatMap((line) => {
    const [, id, name] = line.split("│").map((cell) => cell.trim());
    return id === undefined || id === "id" || name === undefined || name === "" ? [] : [name];
  });
}

/**
 * The names of the buckets, from `wrangler r2 bucket list`'s labelled lines. An account with very many may show the first
 * only: creating one that exists is then refused, which counts as "exists".
 */
export async function listBuckets(wrangler: Wrangler, env: string): Promise<Set<string>> {
  const { stdout } = await answerTo(wrangler, LISTS.bucket(env));
  return new Set([...stdout.matchAll(/^name:\s+(\S+)/gm)].map(([, name]) => name ?? ""));
}

/** The databases' ids by their names. */
export async function listDatabases(wrangler: Wrangler, env: string): Promise<Map<string, string>> {
  const args = LISTS.database(env);
  const databases = databasesSchema.parse(jsonOf(args, await answerTo(wrangler, args)));
  return new Map(databases.map(({ name, uuid }) => [name, uuid]));
}

/**
 * The names of the Worker's secrets; none when there is no Worker yet. Any other failure throws: a secret that is taken
 * for unset would be written over, and what was masked with it would never match again.
 */
export async function listSecrets(wrangler: Wrangler, env: string, worker: string): Promise<Set<string>> {
  const args = LISTS.secret(env);
  const answer = await wrangler(args);
  if (answer.exitCode !== 0 && textOf(answer).includes(`Worker "${worker}"`) && /not found/.test(textOf(answer))) {
    return new Set();
  }
  if (answer.exitCode !== 0) throw refusal(args, answer);
  return new Set(secretsSchema.parse(jsonOf(args, answer)).map(({ name }) => name));
}

/** Runs wrangler; throws CommandProblem (PROVISION_FAILED) with what it said and what to do. */
export async function answerTo(wrangler: Wrangler, args: readonly string[], input?: string): Promise<WranglerAnswer> {
  const answer = await wrangler(args, input);
  if (answer.exitCode === 0) return answer;
  if (input === undefined) throw refusal(args, answer);
  // wrangler does not repeat its input; should it ever, a secret must not reach a log by way of us.
  const [stdout, stderr] = [answer.stdout, answer.stderr].map((text) => text.replaceAll(input, "(the secret)"));
  throw refusal(args, { exitCode: answer.exitCode, stdout: stdout ?? "", stderr: stderr ?? "" });
}

export function textOf({ stdout, stderr }: WranglerAnswer): string {
  return `${stdout}\n${stderr}`.trim();
}

function jsonOf(args: readonly string[], { stdout }: WranglerAnswer): unknown {
  try {
    return JSON.parse(stdout.slice(Math.max(0, stdout.search(/^\[/m))));
  } catch (cause) {
    const message = `"wrangler ${args.join(" ")}" answered no JSON:\n${stdout.trim()}`;
    throw new CommandProblem("PROVISION_FAILED", message, { cause });
  }
}

export function refusal(args: readonly string[], answer: WranglerAnswer): CommandProblem {
  const said = textOf(answer);
  return new CommandProblem("PROVISION_FAILED", `"wrangler ${args.join(" ")}" failed:\n${said}\n\n${adviceOn(said)}`);
}

function adviceOn(said: string): string {
  const again = "Then run the same command again: what is there already is left as it is.";
  if (/not authenticated|wrangler login|CLOUDFLARE_API_TOKEN|code: (9109|10000|10001)\b/i.test(said)) {
    return `Log in with "npx wrangler login", or set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID (docs/deploy.md says what the token must allow). ${again}`;
  }
  if (/enable R2|code: 10042\b/i.test(said)) return `Enable R2 for the account in Cloudflare's dashboard. ${again}`;
  if (/fetch failed|ENOTFOUND|ECONNREFUSED|ETIMEDOUT/i.test(said)) {
    return `Cloudflare could not be reached: see to the network. ${again}`;
  }
  return `Mend what wrangler says. ${again}`;
}
