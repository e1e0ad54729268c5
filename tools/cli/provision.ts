/** `sluice provision`: makes an environment's queues, bucket, database, tables and secrets, what is missing of them. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseCommandLine } from "../command-line.ts";
import { provision } from "../provision/apply.ts";
import { withDatabaseId } from "../provision/database-id.ts";
import { readEnvironment } from "../provision/environment.ts";
import { keyringsIn } from "../provision/keyrings.ts";
import { commandOf, LISTS, OPTIONAL_SECRETS, planOf, type Step } from "../provision/plan.ts";
import { projectWrangler } from "../provision/wrangler.ts";
import type { Command } from "./command.ts";

const HELP = `sluice provision --env NAME [flags]

Makes what the environment in wrangler.toml needs in the Cloudflare account: queues, bucket, database (its id is written into
wrangler.toml), the database's migrations, and the secrets MASKING_KEYS and PAYLOAD_KEYS with fresh keys. What is there is left
as it is, so the command can be repeated, also after a failure. Log in first: npx wrangler login, or CLOUDFLARE_API_TOKEN.
Optional are the secrets ALERT_WEBHOOK_URL, where alerts are posted, and BUILDER_KEY, the key of a container with the native
builder: each is set if a variable of that name is given and it is not set yet.

  --env NAME          staging, production: an [env.NAME] of wrangler.toml
  --keys-file FILE    keeps a copy of the keys, readable by you only; needed to rotate them one day, and shown nowhere else.
                      Keys that the file holds already are used
  --dry-run           prints wrangler's commands and runs none`;

const root = resolve(import.meta.dirname, "../..");

export const command: Command = {
  summary: "makes an environment's queues, bucket, database and secrets on Cloudflare",
  help: HELP,
  async run(argv) {
    const { values } = parseCommandLine(argv, {
      options: {
        env: { type: "string" },
        "keys-file": { type: "string" },
        "dry-run": { type: "boolean", default: false },
      },
    });
    const environment = await readEnvironment(root, values.env);
    const env = environment.name;
    if (values["dry-run"]) return console.log(dryRun(planOf(environment), env).join("\n"));

    const file = values["keys-file"];
    let made = 0;
    await provision(environment, {
      wrangler: projectWrangler(root),
      keyrings: keyringsIn(file, randomBytes),
      optionalSecrets: Object.fromEntries(OPTIONAL_SECRETS.map((name) => [name, process.env[name] ?? ""])),
      writeDatabaseId(binding, id) {
        const toml = join(root, "wrangler.toml");
        writeFileSync(toml, withDatabaseId(readFileSync(toml, "utf8"), env, binding, id));
        console.log(`wrangler.toml   has the id of ${binding} now: commit it`);
      },
      report(step, outcome) {
        if (step.kind === "secret" && outcome === "created") made++;
        console.log(`${step.kind.padEnd(15)}  ${step.name.padEnd(44)}  ${outcome}`);
      },
    });
    if (made > 0) {
      const copy =
        file === undefined
          ? "Nobody has a copy of the new keys: without one they can be replaced, but not rotated (docs/masking.md)."
          : `The new keys stand in ${file} too: move it to where you keep such things.`;
      console.log(copy);
    }
    console.log(`${env} has what it needs. Next: npx wrangler deploy --env ${env}`);
  },
};

const STDIN: Readonly<Partial<Record<Step["kind"], string>>> = {
  secret: "   # if it is not set; a fresh keyring on standard input",
  "optional secret": "   # if it is not set, and the variable of that name is, which goes to standard input",
};

/** The commands as they would run if nothing were there, those that ask included. */
export function dryRun(steps: readonly Step[], env: string): string[] {
  const first = new Set<Step["kind"]>();
  return steps.flatMap((step) => {
    const lines = first.has(step.kind) ? [] : listing(step, env);
    first.add(step.kind);
    const stdin = STDIN[step.kind] ?? "";
    const id = step.kind === "database" ? `   # if missing; then database_id in [[env.${env}.d1_databases]]` : "";
    return [...lines, `npx wrangler ${commandOf(step, env).join(" ")}${stdin}${id}`];
  });
}

function listing(step: Step, env: string): string[] {
  const missing = "   # what is there already";
  switch (step.kind) {
    case "queue":
      return [`npx wrangler ${LISTS.queue(env, 1).join(" ")}${missing}`];
    case "bucket":
      return [`npx wrangler ${LISTS.bucket(env).join(" ")}${missing}`];
    case "database":
      return [`npx wrangler ${LISTS.database(env).join(" ")}${missing}`];
    case "secret":
      return [`npx wrangler ${LISTS.secret(env).join(" ")}${missing}`];
    case "optional secret":
    case "migrations":
      return [];
  }
}
