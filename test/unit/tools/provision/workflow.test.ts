/** The deployment's workflow: every command in it exists, and staging comes before production. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const root = resolve(import.meta.dirname, "../../../..");
const step = z.object({ run: z.string().optional(), uses: z.string().optional() });
const job = z.object({
  needs: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.string()).optional(),
  environment: z.string().optional(),
  steps: z.array(step).optional(),
});
const workflow = z.object({ jobs: z.record(z.string(), job) });

function jobsOf(name: string) {
  return workflow.parse(parse(readFileSync(join(root, ".github/workflows", name), "utf8"))).jobs;
}

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));

describe("the workflow", () => {
  const jobs = jobsOf("deploy.yml");
  const deploy = jobsOf("deploy-environment.yml")["deploy"];

  it("tests, then staging, then production, each in its GitHub environment", () => {
    expect([jobs["staging"]?.needs, jobs["production"]?.needs]).toEqual(["test", "staging"]);
    for (const environment of ["staging", "production"]) {
      expect(jobs[environment]?.with).toEqual({ environment });
      expect(jobs[environment]?.uses).toBe("./.github/workflows/deploy-environment.yml");
    }
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's expression, not a template.
    expect(deploy?.environment).toBe("${{ inputs.environment }}");
  });

  it("provisions, migrates, deploys and looks, in this order", () => {
    const runs = (deploy?.steps ?? []).flatMap(({ run }) => (run === undefined ? [] : [run]));
    expect(runs.map((run) => run.split(" ").slice(0, 3).join(" "))).toEqual([
      "npm ci",
      "npx sluice provision",
      "npx wrangler d1",
      "npx wrangler deploy",
      "npx sluice smoke",
    ]);
  });

  it("every command is an npm script, a command of sluice with such flags, or wrangler's", () => {
    const commands = readdirSync(join(root, ".github/workflows"))
      .flatMap((name) => Object.values(jobsOf(name)))
      .flatMap(({ steps = [] }) => steps.flatMap(({ run }) => run?.trim().split("\n") ?? []));
    expect(commands.length).toBeGreaterThan(5);
    for (const command of commands) expect([command, problemOf(command)]).toEqual([command, undefined]);
  });
});

function problemOf(command: string): string | undefined {
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
  const help = execFileSync(process.execPath, [join(root, "tools/cli/main.ts"), rest[0] ?? "", "--help"], {
    encoding: "utf8",
  });
  return rest.find((word) => word.startsWith("--") && !help.includes(`  ${word} `));
}
