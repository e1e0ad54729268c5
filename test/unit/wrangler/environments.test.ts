import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { contracts, queueBinding } from "../../../contracts/registry.ts";

const root = resolve(import.meta.dirname, "../../..");
const ENVIRONMENTS = [undefined, "staging", "production"] as const;

/** What these tests read of wrangler's answer, whose own type is open. */
interface Config {
  readonly name: string;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly triggers: { readonly crons?: readonly string[] };
  readonly r2_buckets: readonly { readonly binding: string; readonly bucket_name: string }[];
  readonly d1_databases: readonly { readonly binding: string; readonly database_id: string }[];
  readonly durable_objects: { readonly bindings: readonly { readonly name: string; readonly class_name: string }[] };
  readonly ratelimits: readonly {
    readonly name: string;
    readonly namespace_id: string;
    readonly simple: { readonly limit: number; readonly period: number };
  }[];
  readonly observability: { readonly logs?: { readonly invocation_logs?: boolean } };
  readonly migrations: readonly { readonly new_sqlite_classes?: readonly string[] }[];
  readonly queues: {
    readonly producers?: readonly { readonly binding: string; readonly queue: string }[];
    readonly consumers?: readonly { readonly queue: string; readonly dead_letter_queue?: string }[];
  };
}

function configOf(environment: (typeof ENVIRONMENTS)[number]): Config {
  return unstable_readConfig({
    config: join(root, "wrangler.toml"),
    ...(environment === undefined ? {} : { env: environment }),
  });
}

/** Binding name and kind: what the code sees, whatever stands behind it. */
function bindingSet(config: Config): string[] {
  return [
    ...Object.keys(config.vars).map((name) => `var ${name}`),
    ...config.r2_buckets.map((bucket) => `r2 ${bucket.binding}`),
    ...config.d1_databases.map((database) => `d1 ${database.binding}`),
    ...config.durable_objects.bindings.map((object) => `object ${object.name} ${object.class_name}`),
    ...config.ratelimits.map(({ name, simple }) => `limit ${name} ${simple.limit}/${simple.period}`),
    ...(config.queues.producers ?? []).map((producer) => `queue ${producer.binding}`),
  ].sort();
}

/** What stands behind the bindings: must not be shared between environments. */
function resources(config: Config): string[] {
  return [
    ...config.r2_buckets.map((bucket) => `r2 ${bucket.bucket_name}`),
    ...config.d1_databases.map((database) => `d1 ${database.database_id}`),
    ...config.ratelimits.map((limit) => `limit ${limit.namespace_id}`),
    ...(config.queues.producers ?? []).map((producer) => `queue ${producer.queue}`),
    ...(config.queues.consumers ?? []).map((consumer) => `consumer ${consumer.queue}`),
    `worker ${config.name}`,
  ];
}

describe("wrangler.toml", () => {
  test("every environment has the same bindings", () => {
    const local = bindingSet(configOf(undefined));
    expect(local).toContain("queue TOPIC_ORDERS");
    expect(bindingSet(configOf("staging"))).toEqual(local);
    expect(bindingSet(configOf("production"))).toEqual(local);
  });

  test("no environment shares a queue, bucket, database or name with another", () => {
    const all = ENVIRONMENTS.flatMap((environment) => resources(configOf(environment)));
    expect(new Set(all).size).toBe(all.length);
  });

  test("every environment has crons, and the same consumers with a dead-letter queue that is consumed", () => {
    for (const environment of ENVIRONMENTS) {
      const config = configOf(environment);
      expect(config.triggers.crons?.length).toBeGreaterThan(0);
      const consumers = config.queues.consumers ?? [];
      const consumed = new Set(consumers.map((consumer) => consumer.queue));
      for (const consumer of consumers) {
        expect(consumer).toHaveProperty("max_batch_size");
        expect(consumer).toHaveProperty("max_batch_timeout");
        // As many as their delays are made for (queue-consumers/outcome.ts); builds are planned again anyway.
        expect(consumer).toHaveProperty("max_retries", 100);
        if (consumer.queue.endsWith("-dlq")) continue;
        expect(consumed).toContain(consumer.dead_letter_queue);
      }
      for (const producer of config.queues.producers ?? []) expect(consumed).toContain(producer.queue);
    }
  });

  test("every contract's topic has its queue, and there is none without a contract", () => {
    const wanted = [...contracts.map((contract) => queueBinding(contract.topic)), "BUILDS"].sort();
    for (const environment of ENVIRONMENTS) {
      const producers = configOf(environment).queues.producers ?? [];
      expect(producers.map((producer) => producer.binding).sort()).toEqual(wanted);
    }
  });

  test("every Durable Object class is in a migration", () => {
    const config = configOf(undefined);
    const migrated = config.migrations.flatMap((migration) => migration.new_sqlite_classes ?? []);
    for (const object of config.durable_objects.bindings) expect(migrated).toContain(object.class_name);
  });

  test("no environment lets the platform log addresses: publishable keys stand in them", () => {
    for (const environment of ENVIRONMENTS) {
      expect(configOf(environment).observability.logs?.invocation_logs).toBe(false);
    }
  });

  test("migrations are numbered without a gap", () => {
    const names = readdirSync(join(root, "sql/migrations")).sort();
    names.forEach((name, i) => {
      expect(name).toMatch(new RegExp(`^${String(i + 1).padStart(4, "0")}_[a-z_]+\\.sql$`));
    });
    expect(readFileSync(join(root, "sql/migrations", names[0] ?? ""), "utf8")).toContain("partition_meta");
  });
});
