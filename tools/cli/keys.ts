/** `sluice keys`: makes, lists, rotates and revokes the keys of a platform. */
import { z } from "zod";
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { printTable } from "../lake/print-table.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import { callPlatform } from "../platform-call.ts";
import type { Command } from "./command.ts";

const HELP = `sluice keys create --producer NAME --scope SCOPE [--scope SCOPE]... [flags]
sluice keys list [--json]
sluice keys rotate KEY_ID [--overlap 24h]
sluice keys revoke KEY_ID

A key is shown once, when it is made; the platform keeps only its hash. Revoking takes effect within 60 s. Rotating makes a
new key with the same rights and the same expiry; the old one stays valid for the overlap.

  --producer NAME           who the events are from
  --scope SCOPE             TOPIC:write, TOPIC:read or TOPIC:admin; * is every topic; *:build for a builder (docs/keys.md has what each allows)
  --publishable             for browsers: writes only, and only from its origins
  --origin ORIGIN           with --publishable, repeatable: https://shop.example, capacitor://localhost
  --events-per-minute N     a limit of the key's own
  --expires 90d             when the key ends; never if not given
  --overlap 24h             how long a rotated key stays valid: 0s, 30m, 24h, 7d
  --json                    the answer as JSON
${platformHelp("a key with the scope *:admin", 28)}`;

const keySchema = z.object({
  key_id: z.string(),
  kind: z.string(),
  producer: z.string(),
  scopes: z.array(z.string()),
  origins: z.array(z.string()),
  state: z.string(),
  expires_at: z.string().nullable(),
});
const madeSchema = keySchema.extend({ key: z.string() });
const listSchema = z.object({ keys: z.array(keySchema) });

export const command: Command = {
  summary: "makes, lists, rotates and revokes keys",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      allowPositionals: true,
      options: {
        producer: { type: "string" },
        scope: { type: "string", multiple: true, default: [] },
        publishable: { type: "boolean", default: false },
        origin: { type: "string", multiple: true, default: [] },
        "events-per-minute": { type: "string" },
        expires: { type: "string" },
        overlap: { type: "string" },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const platform = platformOf(values);
    const [action, id, ...rest] = positionals;
    const print = (answer: unknown, lines: () => readonly string[]): void =>
      console.log(values.json ? JSON.stringify(answer, null, 2) : lines().join("\n"));
    if (rest.length > 0) throw usage();
    if (action === "list" && id === undefined) {
      const answer = await callPlatform(platform, "GET", "/v1/keys", z.unknown());
      return print(answer, () => tableOf(listSchema.parse(answer).keys));
    }
    if (action === "create" && id === undefined) {
      if (values.producer === undefined || values.scope.length === 0) {
        throw new CommandProblem("USAGE", "sluice keys create needs --producer and --scope; --help says more.");
      }
      const limit = values["events-per-minute"];
      const answer = await callPlatform(platform, "POST", "/v1/keys", z.unknown(), {
        producer: values.producer,
        kind: values.publishable ? "publishable" : "secret",
        scopes: values.scope,
        origins: values.origin,
        events_per_minute: limit === undefined ? null : integerFlag("events-per-minute", limit, 1, 1_000_000_000),
        expires_in_seconds: values.expires === undefined ? null : seconds("expires", values.expires),
      });
      return print(answer, () => made(answer));
    }
    if (action === "rotate" && id !== undefined) {
      const overlap = values.overlap === undefined ? {} : { overlap_seconds: seconds("overlap", values.overlap) };
      const answer = await callPlatform(
        platform,
        "POST",
        `/v1/keys/${encodeURIComponent(id)}/rotate`,
        z.unknown(),
        overlap,
      );
      return print(answer, () => [...made(answer), `${id} stays valid for ${values.overlap ?? "24h"}.`]);
    }
    if (action === "revoke" && id !== undefined) {
      const answer = await callPlatform(platform, "POST", `/v1/keys/${encodeURIComponent(id)}/revoke`, z.unknown());
      return print(answer, () => [`${id} is revoked; everywhere within 60 s.`]);
    }
    throw usage();
  },
};

function usage(): CommandProblem {
  return new CommandProblem("USAGE", "sluice keys create, list, rotate KEY_ID or revoke KEY_ID; --help says more.");
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A duration such as 24h, in seconds. Throws CommandProblem (USAGE). */
export function seconds(flag: string, text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new CommandProblem("USAGE", `--${flag} takes a time such as 30m, 24h or 7d.`);
  return Number(count) * (UNITS[unit] ?? 1);
}

function made(answer: unknown): string[] {
  const key = madeSchema.parse(answer);
  return [key.key, `${key.key_id} of ${key.producer}: ${key.scopes.join(", ")}. The key is shown this once.`];
}

function tableOf(keys: z.infer<typeof listSchema>["keys"]): string[] {
  const columns = ["key_id", "kind", "producer", "scopes", "origins", "state", "expires_at"];
  const rows = keys.map((key) => [
    key.key_id,
    key.kind,
    key.producer,
    key.scopes.join(" "),
    key.origins.join(" "),
    key.state,
    key.expires_at ?? "",
  ]);
  return printTable(
    columns.map((name) => ({ name, numeric: false })),
    rows,
  );
}
