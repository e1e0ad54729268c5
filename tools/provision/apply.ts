/** Makes what a plan names and is not there yet, one step after the other; the first failure ends it. */
import { CommandProblem } from "../command-problem.ts";
import { answerTo, listBuckets, listDatabases, listQueues, listSecrets, refusal, textOf } from "./account.ts";
import type { Environment } from "./environment.ts";
import type { Keyrings } from "./keyrings.ts";
import { commandOf, isPlaceholder, type OptionalSecret, planOf, type Step } from "./plan.ts";
import type { Wrangler } from "./wrangler.ts";

/** `not set`: an optional secret that nobody gave. */
export type Outcome = "created" | "exists" | "done" | "not set";

export interface ProvisionDeps {
  readonly wrangler: Wrangler;
  readonly keyrings: Keyrings;
  /** The values of optional secrets; those without one are left unset. */
  readonly optionalSecrets: Readonly<Partial<Record<OptionalSecret, string>>>;
  /** Puts a database's id into wrangler.toml. */
  writeDatabaseId(binding: string, id: string): void;
  report(step: Step, outcome: Outcome): void;
}

/**
 * Provisions an environment. Safe to repeat, also after a failure: every step asks first whether its thing is there, and no
 * existing thing is changed, secrets least of all. Throws CommandProblem (PROVISION_FAILED) at the first step that fails.
 */
export async function provision(environment: Environment, deps: ProvisionDeps): Promise<void> {
  const account = accountOf(environment, deps.wrangler);
  for (const step of planOf(environment)) {
    deps.report(step, await take(step, environment, account, deps));
  }
}

/** What is there, asked once per kind and only when the first step of that kind comes. */
function accountOf({ name: env, worker }: Environment, wrangler: Wrangler) {
  return {
    queues: once(() => listQueues(wrangler, env)),
    buckets: once(() => listBuckets(wrangler, env)),
    databases: once(() => listDatabases(wrangler, env)),
    secrets: once(() => listSecrets(wrangler, env, worker)),
  };
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

async function take(
  step: Step,
  { name: env }: Environment,
  account: ReturnType<typeof accountOf>,
  deps: ProvisionDeps,
): Promise<Outcome> {
  const { wrangler } = deps;
  const args = commandOf(step, env);
  switch (step.kind) {
    case "queue":
      return (await account.queues()).has(step.name) ? "exists" : create(wrangler, args);
    case "bucket":
      return (await account.buckets()).has(step.name) ? "exists" : create(wrangler, args);
    case "database":
      return takeDatabase(step, env, account, deps);
    case "migrations":
      await answerTo(wrangler, args);
      return "done";
    case "secret":
      if ((await account.secrets()).has(step.name)) return "exists";
      await answerTo(wrangler, args, deps.keyrings.valueOf(step.name));
      return "created";
    case "optional secret": {
      if ((await account.secrets()).has(step.name)) return "exists";
      const value = deps.optionalSecrets[step.name] ?? "";
      if (value === "") return "not set";
      await answerTo(wrangler, args, value);
      return "created";
    }
  }
}

/** Somebody else may have made it since the list was read: that is as good. */
async function create(wrangler: Wrangler, args: readonly string[]): Promise<Outcome> {
  const answer = await wrangler(args);
  if (answer.exitCode === 0) return "created";
  if (/already (taken|exists)|you already own|code: (11009|10004)\b/i.test(textOf(answer))) return "exists";
  throw refusal(args, answer);
}

async function takeDatabase(
  step: Extract<Step, { kind: "database" }>,
  env: string,
  account: ReturnType<typeof accountOf>,
  { wrangler, writeDatabaseId }: ProvisionDeps,
): Promise<Outcome> {
  const known = (await account.databases()).get(step.name);
  if (known === undefined && !isPlaceholder(step.id)) {
    throw new CommandProblem(
      "PROVISION_FAILED",
      `wrangler.toml names the database ${step.name} with the id ${step.id}, which this account does not have.\n` +
        `Is it another account ("npx wrangler whoami")? If the database was deleted, put ` +
        `"00000000-0000-0000-0000-000000000000" in its place, and run the same command again.`,
    );
  }
  const outcome = known === undefined ? await create(wrangler, commandOf(step, env)) : "exists";
  // The answer to a creation is prose; the list has the id.
  const id = known ?? (await listDatabases(wrangler, env)).get(step.name);
  if (id === undefined) {
    const message = `The database ${step.name} was created, but the account does not list it yet: run the same command again in a minute.`;
    throw new CommandProblem("PROVISION_FAILED", message);
  }
  if (id !== step.id) writeDatabaseId(step.binding, id);
  return outcome;
}
