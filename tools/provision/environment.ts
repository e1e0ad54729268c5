/** An environment of wrangler.toml, as far as what it needs in the account goes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandProblem } from "../command-problem.ts";

export interface Environment {
  readonly name: string;
  /** The Worker's name. */
  readonly worker: string;
  /** Every queue that something sends to or reads from, dead-letter queues included; sorted. */
  readonly queues: readonly string[];
  readonly buckets: readonly string[];
  readonly databases: readonly Database[];
  /** The first address that wrangler.toml routes to the Worker; undefined when it has none but its workers.dev one. */
  readonly url: string | undefined;
}

export interface Database {
  readonly binding: string;
  readonly name: string;
  readonly id: string;
}

/** What is read of wrangler's answer, whose own type is open. */
interface Config {
  readonly name?: string | undefined;
  readonly r2_buckets: readonly { readonly bucket_name?: unknown }[];
  readonly d1_databases: readonly {
    readonly binding: string;
    readonly database_name?: string | undefined;
    readonly database_id?: unknown;
  }[];
  readonly queues: {
    readonly producers?: readonly { readonly queue: string }[] | undefined;
    readonly consumers?:
      | readonly { readonly queue: string; readonly dead_letter_queue?: string | undefined }[]
      | undefined;
  };
  readonly route?: Route | undefined;
  readonly routes?: readonly Route[] | undefined;
}
type Route = string | { readonly pattern: string };

/** Reads `[env.<name>]` of the wrangler.toml in `root`. Throws CommandProblem (USAGE), naming the environments there are. */
export async function readEnvironment(root: string, name: string | undefined): Promise<Environment> {
  const file = join(root, "wrangler.toml");
  const names = [...readFileSync(file, "utf8").matchAll(/^\[env\.([\w-]+)\]/gm)].map(([, env]) => env ?? "");
  if (name === undefined || !names.includes(name)) {
    const got = name === undefined ? "" : `, not "${name}"`;
    throw new CommandProblem("USAGE", `--env is one of ${names.join(", ")}${got}.`);
  }
  // Loaded here: it takes two seconds, and a smoke test that is given an address does without.
  const { unstable_readConfig } = await import("wrangler");
  const config: Config = unstable_readConfig({ config: file, env: name });
  const { producers = [], consumers = [] } = config.queues;
  const queues = [
    ...producers.map(({ queue }) => queue),
    ...consumers.flatMap(({ queue, dead_letter_queue: dead }) => (dead === undefined ? [queue] : [queue, dead])),
  ];
  return {
    name,
    worker: config.name ?? name,
    queues: [...new Set(queues)].sort(),
    buckets: config.r2_buckets.flatMap(({ bucket_name: bucket }) => (typeof bucket === "string" ? [bucket] : [])),
    databases: config.d1_databases.map(({ binding, database_name: database, database_id: id }) => ({
      binding,
      name: database ?? binding,
      id: typeof id === "string" ? id : "",
    })),
    url: addressOf(config.route ?? config.routes?.[0]),
  };
}

function addressOf(route: Route | undefined): string | undefined {
  if (route === undefined) return undefined;
  const pattern = typeof route === "string" ? route : route.pattern;
  return `https://${pattern.replace(/^https?:\/\//, "").replace(/\/?\*?$/, "")}`;
}
