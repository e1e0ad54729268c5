/** What the routes of keys take and answer. */
import * as z from "zod";
import { contractOf } from "../../contracts/registry.ts";
import { pointlessScope } from "../access/grant.ts";
import { platform } from "../access/need.ts";
import { originFault } from "../keys/origin.ts";
import { type Operation, problems } from "../openapi/operation.ts";

const SCOPE = /^(\*|[a-z][a-z0-9_]*):(write|read|admin|build)$/;

const scope = z
  .string()
  .regex(SCOPE, {
    error: "expected TOPIC:ACCESS or *:ACCESS, where ACCESS is write, read or admin; or *:build",
    abort: true,
  })
  .refine((text) => topicOf(text) === "*" || contractOf(topicOf(text)) !== undefined, {
    error: ({ input }) => `there is no topic "${topicOf(String(input))}"`,
    abort: true,
  })
  .superRefine((text, context) => {
    const message = pointlessScope(text, (topic) => contractOf(topic)?.platformOnly === true);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .describe("TOPIC:ACCESS, or *:ACCESS for every topic");

const origin = z
  .string()
  .superRefine((text, context) => {
    const message = originFault(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .describe("A web origin as browsers send it: scheme, host and port; or an app's, such as capacitor://localhost");

function topicOf(text: string): string {
  return text.slice(0, text.indexOf(":"));
}

const YEAR_SECONDS = 31_536_000;

export const createKeyBody = z
  .strictObject({
    producer: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, "expected up to 100 of a-z, 0-9, dot, dash, underscore"),
    kind: z.enum(["secret", "publishable"]).default("secret"),
    scopes: z.array(scope).min(1).max(100),
    origins: z.array(origin).max(20).default([]).describe("Publishable keys only: where browsers may use it"),
    events_per_minute: z.int().min(1).max(1_000_000_000).nullable().default(null),
    expires_in_seconds: z
      .int()
      .min(1)
      .max(10 * YEAR_SECONDS)
      .nullable()
      .default(null),
  })
  .superRefine(({ kind, scopes, origins }, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: "custom", path: [path], message });
    if (kind === "secret" && origins.length > 0) refuse("origins", "only a publishable key is bound to origins");
    if (kind === "publishable" && origins.length === 0) refuse("origins", "a publishable key needs at least one");
    if (kind === "publishable" && !scopes.every((text) => text.endsWith(":write") && topicOf(text) !== "*")) {
      refuse("scopes", "a publishable key writes to named topics, and nothing else");
    }
  });

export const rotateKeyBody = z.strictObject({
  overlap_seconds: z
    .int()
    .min(0)
    .max(YEAR_SECONDS)
    .default(86_400)
    .describe("How long the old key stays valid beside the new one"),
});

const listedKey = z.object({
  key_id: z.string(),
  kind: z.enum(["secret", "publishable"]),
  producer: z.string(),
  scopes: z.array(z.string()),
  origins: z.array(z.string()),
  events_per_minute: z.int().nullable(),
  state: z.enum(["active", "expired", "revoked"]),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  rotated_from: z.string().nullable(),
});

const shownKey = listedKey.extend({ key: z.string().describe("The key itself: shown this once, stored nowhere") });

const KEY_ID = { key_id: "A key's public id, see /v1/keys" };

export const keysOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/v1/keys",
    tag: "Keys",
    summary: "List the keys",
    need: platform("admin"),
    responses: [
      {
        status: 200,
        description: "Every key ever made, the newest first",
        content: { "application/json": z.object({ keys: z.array(listedKey) }) },
      },
    ],
    refusals: problems("CATALOG_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/keys",
    tag: "Keys",
    summary: "Make a key",
    need: platform("admin"),
    body: { description: "What the key allows", content: { "application/json": createKeyBody } },
    responses: [{ status: 201, description: "The key", content: { "application/json": shownKey } }],
    refusals: problems("INVALID_PARAMETER", "BODY_TOO_LARGE", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/keys/{key_id}/rotate",
    tag: "Keys",
    summary: "Replace a key",
    description:
      "The new key allows what the old one did, and ends when that was to end; the old one stays valid for the overlap.",
    need: platform("admin"),
    path_parameters: KEY_ID,
    body: { required: false, description: "May be empty", content: { "application/json": rotateKeyBody } },
    responses: [{ status: 201, description: "The new key", content: { "application/json": shownKey } }],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_KEY", "KEY_NOT_IN_FORCE", "BODY_TOO_LARGE", "CATALOG_UNAVAILABLE"),
  },
  {
    method: "POST",
    path: "/v1/keys/{key_id}/revoke",
    tag: "Keys",
    summary: "Revoke a key",
    description: "In effect everywhere within 60 s.",
    need: platform("admin"),
    path_parameters: KEY_ID,
    responses: [{ status: 200, description: "The revoked key", content: { "application/json": listedKey } }],
    refusals: problems("UNKNOWN_KEY", "CATALOG_UNAVAILABLE"),
  },
];
