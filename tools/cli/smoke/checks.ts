/** The checks of `sluice smoke`: that a deployment answers, has its topics, and judges events as their contracts say. */
import { z } from "zod";

export interface Target {
  readonly url: string;
  readonly key: string;
  /** The environment that must answer; undefined: any. */
  readonly environment: string | undefined;
  /** The topic that gets one event for good; undefined: nothing is stored. */
  readonly write: string | undefined;
}

export interface CheckResult {
  readonly check: string;
  readonly ok: boolean;
  /** What was seen; for a failure also what to do. */
  readonly detail: string;
}

/** `fetch` over HTTP, or a gateway in memory. Rejects when nothing answers. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const TIMEOUT_MS = 30_000;
const health = z.object({ environment: z.string() });
const topicList = z.object({ topics: z.array(z.object({ topic: z.string(), accepts_events: z.boolean() })) });
const verdict = z.object({
  accepted: z.number(),
  rejected: z.number(),
  retry: z.number(),
  results: z.array(z.unknown()),
});
const problem = z.object({ code: z.string(), detail: z.string() });

/** Runs the checks in order; without topics there is nothing further to ask. Never throws for what a deployment does. */
export async function* smokeChecks(fetch: Fetch, target: Target): AsyncGenerator<CheckResult> {
  const { environment, write } = target;
  for (const path of ["/healthz", "/readyz"]) {
    yield await check(path, async () => {
      const answer = health.parse(await call(fetch, target, path));
      if (environment === undefined || answer.environment === environment) return answer.environment;
      throw new CheckFailure(`this is the environment ${answer.environment}, not ${environment}: see to --url`);
    });
  }
  let topics: string[] = [];
  yield await check("/v1/topics", async () => {
    const listed = topicList.parse(await call(fetch, target, "/v1/topics")).topics;
    topics = listed.filter((entry) => entry.accepts_events).map((entry) => entry.topic);
    return `${listed.length} topics, ${topics.length} take events`;
  });
  for (const topic of topics) {
    yield await check(`${topic}, dry run`, () => sendExample(fetch, target, topic, "?dry_run=true"));
  }
  if (write !== undefined) yield await check(`${write}, stored`, () => sendExample(fetch, target, write, ""));
}

async function sendExample(fetch: Fetch, target: Target, topic: string, query: string): Promise<string> {
  const example = await call(fetch, target, `/v1/contracts/${topic}/example`);
  const init = { method: "POST", body: JSON.stringify(example), headers: { "Content-Type": "application/json" } };
  const answer = verdict.parse(await call(fetch, target, `/v1/topics/${topic}/events${query}`, init));
  if (answer.accepted === 1) return "accepted";
  throw new CheckFailure(
    `the contract's own example was not accepted: ${JSON.stringify(answer.results).slice(0, 300)}`,
  );
}

class CheckFailure extends Error {
  override readonly name = "CheckFailure";
}

async function check(name: string, run: () => Promise<string>): Promise<CheckResult> {
  try {
    return { check: name, ok: true, detail: await run() };
  } catch (error) {
    return { check: name, ok: false, detail: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof CheckFailure) return error.message;
  if (error instanceof z.ZodError) return `an answer that is not Sluice's: ${z.prettifyError(error).split("\n")[0]}`;
  if (!(error instanceof Error)) return String(error);
  return `no answer: ${error.cause instanceof Error ? error.cause.message : error.message}; see to --url and the network`;
}

/** The JSON of an answer. Throws CheckFailure for a refusal. */
async function call(fetch: Fetch, { url, key }: Target, path: string, init: CallInit = {}): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    ...init,
    headers: { ...init.headers, Authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  const json = jsonOf(text);
  // 422 is a verdict: the caller says which events it was about.
  if (response.ok || (response.status === 422 && verdict.safeParse(json).success)) return json;
  const refused = problem.safeParse(json);
  const said = refused.success ? `${refused.data.code}, ${refused.data.detail}` : text.slice(0, 200);
  throw new CheckFailure(`${response.status} ${said}${adviceOn(response.status)}`);
}

interface CallInit {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function adviceOn(status: number): string {
  if (status === 401) return "; SLUICE_KEY or --key-file takes a key of this environment (docs/keys.md)";
  if (status === 403) return "; the key needs the scope *:write";
  return "";
}
