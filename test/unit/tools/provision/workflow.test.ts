/** The deployment's workflow: every command in it exists, and staging comes before production. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const root = resolve(import.meta.dirname, "../../../..");
const step = z.object({
  run: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
const job = z.object({
  needs: z.string().optional(),
  uses: z.string().optional(),
  secrets: z.unknown().optional(),
  environment: z.string().optional(),
  concurrency: z.object({ group: z.string(), "cancel-in-progress": z.boolean() }).optional(),
  steps: z.array(step).optional(),
});
const workflow = z.object({ permissions: z.unknown().optional(), jobs: z.record(z.string(), job) });
const action = z.object({
  inputs: z.record(z.string(), z.object({ required: z.boolean().optional() })),
  runs: z.object({ using: z.literal("composite"), steps: z.array(step) }),
});

/** Every file below .github, as its path from there and its text. */
const files = readdirSync(join(root, ".github"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.ya?ml$/.test(name))
  .map((name) => ({ name: name.replaceAll("\\", "/"), text: readFileSync(join(root, ".github", name), "utf8") }));

function textOf(name: string): string {
  return files.find((file) => file.name === name)?.text ?? "";
}

const workflows = files
  .filter(({ name }) => name.startsWith("workflows/"))
  .map(({ name, text }) => ({ name, text, ...workflow.parse(parse(text)) }));
const deployAction = action.parse(parse(textOf("actions/deploy/action.yml")));
const stepsOfAll = [...workflows.flatMap(({ jobs }) => Object.values(jobs)), deployAction.runs].flatMap(
  ({ steps = [] }) => steps,
);

const sluiceCommand = z.object({ command: z.object({ help: z.string() }) });

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));

describe("the workflow", () => {
  const jobs = workflow.parse(parse(textOf("workflows/deploy.yml"))).jobs;

  it("tests, then staging, then production, each in its GitHub environment and one deploy of it at a time", () => {
    expect([jobs["staging"]?.needs, jobs["production"]?.needs]).toEqual(["test", "staging"]);
    for (const environment of ["staging", "production"]) {
      const deploy = jobs[environment];
      expect(deploy?.environment).toBe(environment);
      expect(deploy?.concurrency).toEqual({ group: `deploy-${environment}`, "cancel-in-progress": false });
      const handed = deploy?.steps?.find(({ uses }) => uses === "./.github/actions/deploy")?.with ?? {};
      expect(handed["environment"]).toBe(environment);
      expect(Object.keys(handed).toSorted()).toEqual(Object.keys(deployAction.inputs).toSorted());
    }
  });

  it("provisions, migrates, deploys and looks, in this order", () => {
    const runs = deployAction.runs.steps.flatMap(({ run }) => (run === undefined ? [] : [run]));
    expect(runs.map((run) => run.split(" ").slice(0, 3).join(" "))).toEqual([
      "npm ci",
      "npx sluice provision",
      "npx wrangler d1",
      "npx wrangler deploy",
      "npx sluice smoke",
    ]);
  });

  it("every command is an npm script, a command of sluice with such flags, or wrangler's", async () => {
    const commands = stepsOfAll.flatMap(({ run }) => run?.trim().split("\n") ?? []);
    expect(commands.length).toBeGreaterThan(5);
    for (const command of commands) expect([command, await problemOf(command)]).toEqual([command, undefined]);
  });
});

describe("what the workflow trusts", () => {
  it("other people's actions are named by the commit that was read, with its version beside it: a tag can be moved", () => {
    const uses = files.flatMap(({ text }) =>
      [...text.matchAll(/^\s*(?:- )?uses: *(.+)$/gm)].map(([, what]) => what ?? ""),
    );
    expect(uses.length).toBeGreaterThan(4);
    for (const what of uses) expect(what).toMatch(/^(\.\/\S+|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
  });

  it("a job has the secrets that it names, and no job hands over all of them", () => {
    for (const { name, text, jobs } of workflows) {
      expect([name, text.match(/^\s*secrets:\s*inherit/m)]).toEqual([name, null]);
      for (const each of Object.values(jobs)) expect(each.secrets).not.toBe("inherit");
    }
    // An environment's secrets come with the job that runs in it: a job without one must not ask for any.
    const { test } = jobsOfDeploy();
    expect(JSON.stringify(test)).not.toContain("secrets.");
  });

  it("GitHub's own token only reads, and the checkout leaves none behind", () => {
    for (const { permissions } of workflows) expect(permissions).toEqual({ contents: "read" });
    const checkouts = stepsOfAll.filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checkouts.length).toBeGreaterThan(0);
    for (const checkout of checkouts) expect(checkout.with).toMatchObject({ "persist-credentials": false });
  });

  it("no command has an expression pasted into it: what a step needs comes as a variable", () => {
    for (const { run } of stepsOfAll) expect(run ?? "").not.toContain("${{");
  });
});

function jobsOfDeploy(): Record<string, unknown> {
  return z.object({ jobs: z.record(z.string(), z.unknown()) }).parse(parse(textOf("workflows/deploy.yml"))).jobs;
}

async function problemOf(command: string): Promise<string | undefined> {
  const [program, first = "", ...rest] = command.split(/\s+/);
  if (program === "npm") {
    const script = first === "run" ? rest.find((word) => !word.startsWith("-")) : first;
    return script === "ci" || (script !== undefined && script in scripts) ? undefined : `no npm script ${script}`;
  }
  if (program !== "npx") return `what is ${program}?`;
  if (first === "wrangler")
    return ["d1 migrations apply", "deploy"].some((known) => rest.join(" ").startsWith(known))
      ? undefined
      : `wrangler ${rest[0]}?`;
  if (first !== "sluice") return `what is ${first}?`;
  const { help } = sluiceCommand.parse(await import(join(root, `tools/cli/${rest[0]}.ts`))).command;
  return rest.find((word) => word.startsWith("--") && !help.includes(`  ${word} `));
}
