/**
 * An alert as the body of a Slack incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.
 * Whatever takes such bodies (Mattermost, Discord's `/slack`, an own receiver) reads at least `text`.
 */
import type { PipelineAlert } from "../platform-events/pipeline-alert.ts";

export interface SlackMessage {
  /** For notifications, and for receivers that know no blocks. */
  readonly text: string;
  readonly blocks: readonly object[];
}

/** A section's text may have 3,000 characters (https://docs.slack.dev/reference/block-kit/blocks/section-block). */
const MAX_TEXT = 2_900;

const SIGNS = { info: "ℹ️", warning: "⚠️", critical: "🚨" } as const;

/** `environment` tells staging's alerts from production's in one channel. */
export function slackMessage(alert: PipelineAlert, environment: string): SlackMessage {
  const { state, severity, kind, message, alert_id: id } = alert;
  const sign = state === "resolved" ? "✅" : SIGNS[severity];
  const title = `${sign} ${state === "resolved" ? "Resolved" : "Firing"}: ${kind} (${severity}, ${environment})`;
  return {
    text: escapeText(`${title}: ${message}`),
    blocks: [
      {
        type: "section",
        text: { type: "mrkdwn", text: `*${escapeText(title)}*\n${escapeText(message, MAX_TEXT - title.length)}` },
      },
      { type: "context", elements: [{ type: "mrkdwn", text: escapeText(`${id} · ${alert.event_timestamp}`) }] },
    ],
  };
}

const ENTITIES = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
]);

/** Slack's three entities, so that no text becomes a link or a mention; cut to so many characters, entities whole. */
function escapeText(text: string, maxLength = MAX_TEXT): string {
  let escaped = "";
  for (const character of text) {
    const next = ENTITIES.get(character) ?? character;
    if (escaped.length + next.length > maxLength) return `${escaped}…`;
    escaped += next;
  }
  return escaped;
}
