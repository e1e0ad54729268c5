/** What an environment needs in the account, in the order in which it is made, and wrangler's command for each. Pure. */
import type { Environment } from "./environment.ts";

export type Step =
  | { readonly kind: "queue"; readonly name: string }
  | { readonly kind: "bucket"; readonly name: string }
  | { readonly kind: "database"; readonly name: string; readonly binding: string; readonly id: string }
  | { readonly kind: "migrations"; readonly name: string }
  | { readonly kind: "secret"; readonly name: SecretName }
  | { readonly kind: "optional secret"; readonly name: OptionalSecret };

/** Both are keyrings of `gateway/masking/keyring.ts`; docs/masking.md. */
export const SECRETS = ["MASKING_KEYS", "PAYLOAD_KEYS"] as const;
export type SecretName = (typeof SECRETS)[number];

/** Set from a variable of the same name where `provision` runs, if there is one: nobody can make them up. docs/operations.md, docs/deploy.md. */
export const OPTIONAL_SECRETS = ["ALERT_WEBHOOK_URL", "BUILDER_KEY"] as const;
export type OptionalSecret = (typeof OPTIONAL_SECRETS)[number];

/** Migrations follow their database, secrets come last: the first of them makes an empty Worker if there is none. */
export function planOf(environment: Environment): Step[] {
  return [
    ...environment.queues.map((name): Step => ({ kind: "queue", name })),
    ...environment.buckets.map((name): Step => ({ kind: "bucket", name })),
    ...environment.databases.map((database): Step => ({ kind: "database", ...database })),
    ...environment.databases.map(({ binding }): Step => ({ kind: "migrations", name: binding })),
    ...SECRETS.map((name): Step => ({ kind: "secret", name })),
    ...OPTIONAL_SECRETS.map((name): Step => ({ kind: "optional secret", name })),
  ];
}

/** wrangler's arguments for a step; a secret's value goes to its standard input. */
export function commandOf(step: Step, env: string): string[] {
  const command = {
    queue: ["queues", "create", step.name],
    bucket: ["r2", "bucket", "create", step.name],
    database: ["d1", "create", step.name],
    migrations: ["d1", "migrations", "apply", step.name, "--remote"],
    secret: ["secret", "put", step.name],
    "optional secret": ["secret", "put", step.name],
  }[step.kind];
  return [...command, "--env", env];
}

/** wrangler's arguments that say which queues, buckets, databases or secrets there are. */
export const LISTS = {
  queue: (env: string, page: number) => ["queues", "list", "--page", String(page), "--env", env],
  bucket: (env: string) => ["r2", "bucket", "list", "--env", env],
  database: (env: string) => ["d1", "list", "--json", "--env", env],
  secret: (env: string) => ["secret", "list", "--format", "json", "--env", env],
} as const;

/** A placeholder of a checkout that has not been provisioned: no database has it. */
export function isPlaceholder(id: string): boolean {
  return id === "" || /^0{8}-0{4}-0{4}-0{4}-0{9}\d{3}$/.test(id);
}
