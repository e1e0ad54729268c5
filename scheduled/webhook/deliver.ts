/**
 * A duty: alert events to the webhook. It reads them where they were written, not from the topic's queue: an alert must reach
 * people when the pipeline that it is about does not work, and a webhook that is down must not hold up the topic.
 */
import {
  claimPost,
  delayPost,
  endPost,
  type PostEnd,
  skipPosts,
  type WaitingPost,
  waitingPosts,
} from "../../sql/statements/alert-posts.ts";
import { type PipelineAlert, pipelineAlertSchema } from "../platform-events/pipeline-alert.ts";
import { outcomeOf } from "./answer.ts";
import { slackMessage } from "./slack-message.ts";

export interface WebhookDeps {
  readonly db: D1Database;
  readonly environment: string;
  /** A secret; undefined: there is no webhook. */
  readonly url: string | undefined;
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** How many events ended how in this tick. `status`: the answer that stopped it; 0: there was none. */
export interface WebhookReport {
  posted: number;
  refused: number;
  expired: number;
  /** There is no webhook. */
  skipped: number;
  status?: number;
  problem?: string;
}

/** Slack takes one message a second; the rest waits for the next tick. */
const POSTS_AT_ONCE = 20;
const TIMEOUT_MS = 10_000;
/** While a tick has an event, no other takes it; longer than the timeout. */
const CLAIM_MS = 120_000;
/** An alert that could not be posted for a day is no news any more. */
const EXPIRES_MS = 24 * 3_600_000;

/**
 * Posts what waits, in order: `resolved` never comes before its `firing`. The first event that must be tried again ends the
 * tick, since the next would meet the same webhook. An event is posted twice only if the answer to the first is not known.
 */
export async function deliverAlerts(deps: WebhookDeps, now: number): Promise<WebhookReport> {
  const report: WebhookReport = { posted: 0, refused: 0, expired: 0, skipped: 0 };
  if (deps.url === undefined || deps.url === "") return { ...report, skipped: await skipPosts(deps.db) };
  if (!isAddress(deps.url, deps.environment)) {
    return { ...report, problem: "ALERT_WEBHOOK_URL is not an https address; alerts wait" };
  }
  const { rows, unreadable } = await waitingPosts(deps.db, pipelineAlertSchema, POSTS_AT_ONCE);
  if (unreadable[0] !== undefined) report.problem = unreadable[0].message;
  for (const waiting of rows) {
    const end = await deliverOne(waiting, deps, deps.url, now, report);
    if (end === "later") break;
    report[end]++;
  }
  return report;
}

async function deliverOne(
  waiting: WaitingPost<PipelineAlert>,
  deps: WebhookDeps,
  url: string,
  now: number,
  report: WebhookReport,
): Promise<PostEnd | "later"> {
  const { event_id: id, post_attempts: attempts } = waiting;
  if (now - Date.parse(waiting.made_at) > EXPIRES_MS) {
    await endPost(deps.db, id, "expired");
    return "expired";
  }
  if (waiting.post_after > now || !(await claimPost(deps.db, id, attempts, now + CLAIM_MS))) return "later";
  const answer = await post(deps, url, JSON.stringify(slackMessage(waiting.event, deps.environment)));
  const outcome = outcomeOf(answer.status, answer.retryAfter, attempts + 1);
  if (outcome.kind !== "posted") report.status = answer.status ?? 0;
  if (outcome.kind === "retry") {
    await delayPost(deps.db, id, now + outcome.delayMs);
    return "later";
  }
  await endPost(deps.db, id, outcome.kind);
  return outcome.kind;
}

interface Answer {
  /** null: none came in time. */
  readonly status: number | null;
  readonly retryAfter: string | null;
}

// Neither the address nor an error's text goes anywhere: the address is the secret, and errors may quote it.
async function post({ fetch }: WebhookDeps, url: string, body: string): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    return { status: response.status, retryAfter: response.headers.get("retry-after") };
  } catch {
    return { status: null, retryAfter: null };
  }
}

function isAddress(url: string, environment: string): boolean {
  const protocol = URL.parse(url)?.protocol;
  return protocol === "https:" || (protocol === "http:" && environment === "local");
}
