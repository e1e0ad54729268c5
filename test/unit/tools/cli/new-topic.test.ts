import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { compileProject } from "../../../../tools/build/compile.ts";
import { renderProblem } from "../../../../tools/build/problem.ts";
import { releaseCandidates, reviewSchemas } from "../../../../tools/build/schemas/release.ts";
import { unfilledProblems } from "../../../../tools/build/schemas/unfilled.ts";
import { syncQueues } from "../../../../tools/build/wrangler/queues.ts";
import { command, planTopic, writeTopic } from "../../../../tools/cli/new-topic.ts";

const PROJECT = resolve(import.meta.dirname, "../../../..");
const parent = mkdtempSync(join(tmpdir(), "sluice-new-topic-"));
afterAll(() => rmSync(parent, { recursive: true }));

// What a compile reads, and the folders that it writes to.
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(parent, "project-"));
  const copied = ["contracts", "schemas", "sql/gold", "lakehouse/tables/compiled", "producers/client"];
  const filter = (path: string) => !basename(path).endsWith(".ts");
  for (const folder of copied) cpSync(join(PROJECT, folder), join(root, folder), { recursive: true, filter });
});

const read = (path: string) => readFileSync(join(root, path), "utf8");
const create = (topic: string) => writeTopic(root, planTopic(root, topic));
const reviewed = () => reviewSchemas(root).problems.map(renderProblem);

describe("sluice new-topic", () => {
  test("what it writes compiles as it stands, once the schema is released", async () => {
    create("delivery_routes");
    await expect(compileProject(root)).rejects.toThrow(
      /schemas\/delivery_routes\/v1\.avsc: is not released: `npx sluice schemas release`/,
    );
    const review = reviewSchemas(root);
    expect(review.problems).toEqual([]);
    expect(releaseCandidates(root, review)).toMatchObject([{ file: "schemas/delivery_routes/v1.avsc" }]);
    writeFileSync(join(root, "contracts/of-an-older-version.generated.ts"), "");
    await compileProject(root);
    expect(existsSync(join(root, "contracts/of-an-older-version.generated.ts"))).toBe(false);
    expect(read("contracts/contracts.generated.ts")).toContain("delivery_routes");
    expect(read("lakehouse/tables/compiled/models.generated.ts")).toContain("daily_delivery_routes");
    expect(read("producers/client/topic-events.generated.ts")).toContain("delivery_routes");
  });

  test("a contract and a first schema that disagree are not released", () => {
    create("delivery_routes");
    const path = "contracts/delivery_routes.yaml";
    writeFileSync(join(root, path), read(path).replace("name: value,", "name: metres,"));
    expect(reviewed()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^contracts\/delivery_routes\.yaml:\d+: .*"metres" is in no version/),
      ]),
    );
  });

  test("says where to fill, in every file, and only there", () => {
    for (const { path, text } of planTopic(root, "delivery_routes"))
      expect([path, /FILL/.test(text)]).toEqual([path, true]);
  });

  test("a release names every line that is still to fill, and no other topic's", () => {
    expect(unfilledProblems(root, reviewSchemas(root).topics)).toEqual([]);
    const files = planTopic(root, "delivery_routes");
    create("delivery_routes");
    const found = unfilledProblems(root, reviewSchemas(root).topics);
    const marked = files.flatMap(({ path, text }) =>
      text.split("\n").flatMap((line, index) => (line.includes("FILL") ? [`${path}:${index + 1}`] : [])),
    );
    expect(found.map(({ file, line }) => `${file}:${line}`)).toEqual(marked);
    expect(found.map(renderProblem)).toContainEqual(
      expect.stringMatching(/^contracts\/delivery_routes\.yaml:\d+: still says "FILL or remove: what must hold/),
    );
    for (const { path, text } of files) writeFileSync(join(root, path), text.replaceAll(/FILL(?: or remove)?:/g, ""));
    expect(unfilledProblems(root, reviewSchemas(root).topics)).toEqual([]);
  });

  test("a second run is refused and changes nothing", () => {
    create("delivery_routes");
    const before = read("contracts/delivery_routes.yaml");
    expect(() => create("delivery_routes")).toThrow(/contracts\/delivery_routes\.yaml.*Nothing was written/);
    expect(read("contracts/delivery_routes.yaml")).toBe(before);
  });

  test.each([
    ["orders", "TOPIC_EXISTS", /There is a topic orders already/],
    ["daily_order_revenue", "TOPIC_EXISTS", /sql\/gold\/daily_order_revenue\.sql has a name that/],
    ["Delivery-Routes", "USAGE", /Try "delivery_routes"/],
    ["../routes", "USAGE", /Try "routes"/],
    ["2nd", "USAGE", /Try "nd"/],
    ["a__b", "USAGE", /Try "a_b"/],
    ["", "USAGE", /lower_snake_case/],
    ["ledger", "USAGE", /name of the platform/],
    ["orders_dlq", "USAGE", /dead letters/],
    ["a".repeat(42), "USAGE", /has room for 41/],
  ])("the name %j is refused (%s)", (topic, code, message) => {
    expect(() => planTopic(root, topic)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test("the longest name fits a queue's", () => {
    const toml = syncQueues(readFileSync(join(PROJECT, "wrangler.toml"), "utf8"), ["a".repeat(41)]);
    const names = [...toml.matchAll(/queue = "([^"]+)"/g)].map(([, name = ""]) => name.length);
    expect(Math.max(...names)).toBe(63);
    expect(planTopic(root, "a".repeat(41))).toHaveLength(3);
  });

  test("takes one name", async () => {
    await expect(command.run([])).rejects.toMatchObject({ code: "USAGE" });
    await expect(command.run(["a", "b"])).rejects.toMatchObject({ code: "USAGE" });
  });

  test("--dry-run writes nothing", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    await command.run(["not_a_topic_of_ours", "--dry-run"]);
    expect(log.mock.lastCall).toEqual(["Nothing was written (--dry-run)."]);
    log.mockRestore();
    expect(existsSync(join(PROJECT, "contracts/not_a_topic_of_ours.yaml"))).toBe(false);
  });
});

test("external_data, added with it, stands in no TypeScript but tests and what is generated", () => {
  const exclude = ["node_modules/**", "test/**", "dist/**", ".*/**", "**/*.generated.ts"];
  const sources = globSync("**/*.ts", { cwd: PROJECT, exclude });
  expect(sources).toContain("worker.ts");
  expect(sources.filter((path) => readFileSync(join(PROJECT, path), "utf8").includes("external_data"))).toEqual([]);
  expect(existsSync(join(PROJECT, "contracts/external_data.yaml"))).toBe(true);
});
