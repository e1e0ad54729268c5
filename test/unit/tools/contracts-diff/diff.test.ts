import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import type { Contract, FieldRule, Masking } from "../../../../contracts/contract.ts";
import { compileContracts } from "../../../../tools/build/compile.ts";
import { checkRule } from "../../../../tools/build/contracts/rules/check-rule.ts";
import { contractsAtRef } from "../../../../tools/contracts-diff/at-ref.ts";
import { diffContracts, renderDiff } from "../../../../tools/contracts-diff/diff.ts";

const root = resolve(import.meta.dirname, "../../../..");
const { contracts } = compileContracts(root);

function orders(change: Partial<Contract> = {}): Contract {
  const found = contracts.find(({ topic }) => topic === "orders");
  if (found === undefined) throw new Error("there is no contract for orders");
  return { ...found, ...change };
}

function withField(name: string, change: (rule: FieldRule) => FieldRule): Contract {
  return orders({
    version: "9.0.0",
    fields: orders().fields.map((rule) => (rule.name === name ? change(rule) : rule)),
  });
}

/** The changes from orders as it is, as `!subject message` where they break. */
function changes(after: Contract, before = orders()): string[] {
  return diffContracts([before], [after]).map(
    ({ breaking, subject, message }) => `${breaking ? "!" : ""}${subject} ${message}`,
  );
}

test("equal contracts have no changes", () => {
  expect(diffContracts(contracts, contracts)).toEqual([]);
  expect(renderDiff([])).toEqual(["Nothing changes."]);
});

test("fields: what breaks producers is told from what does not, and each has its mirror", () => {
  const bounded = (maximum: number) => withField("amount", (rule) => ({ ...rule, maximum }));
  expect(changes(bounded(5))).toEqual(["!amount has maximum 5, was 1000000"]);
  expect(changes(orders({ version: "9.0.1" }), bounded(5))).toEqual(["amount has maximum 1000000, was 5"]);
  expect(changes(withField("amount", ({ maximum: _, ...rule }) => rule))).toEqual([
    "amount has no maximum any more, was 1000000",
  ]);
  expect(changes(withField("coupon", (rule) => ({ ...rule, required: true })))).toEqual(["!coupon is required now"]);
  expect(changes(withField("coupon", (rule) => ({ ...rule, pattern: "^A" })))).toEqual([
    "!coupon must match ^A, had no pattern",
  ]);
  expect(changes(withField("coupon", (rule) => ({ ...rule, kind: "integer" })))).toEqual([
    "!coupon is integer, was string",
  ]);
  expect(changes(withField("currency", (rule) => ({ ...rule, accepted: ["EUR", "XYZ"] })))).toEqual([
    expect.stringMatching(/^!currency does not take .*INR.* any more$/),
    "currency takes XYZ too",
  ]);
  const items = (rule: FieldRule): FieldRule =>
    rule.item === undefined
      ? rule
      : { ...rule, item: { ...rule.item, fields: (rule.item.fields ?? []).filter(({ name }) => name !== "sku") } };
  expect(changes(withField("items", items))).toEqual(["items[].sku is removed; who sends it has it kept in _extra"]);
  expect(changes({ ...withField("items", items), unknownFields: "reject" })[0]).toMatch(/^!items\[\]\.sku is removed/);
});

test("what was stored masked and shows more from now on breaks", () => {
  const text = (masking?: Masking): FieldRule => ({
    name: "phone",
    kind: "string",
    required: false,
    ...(masking === undefined ? {} : { masking }),
  });
  const masked = (after: Contract, before: Contract) => changes({ ...after, version: "9.0.1" }, before);
  const people = (...fields: FieldRule[]) => orders({ version: "9.0.0", fields });
  const from = (masking?: Masking) => people(text(masking));
  expect(masked(from(), from("hmac"))).toEqual(["!phone is stored in the clear, was masked (hmac)"]);
  expect(masked(from("hmac"), from("redact"))).toEqual(["!phone is stored masked (hmac), was masked (redact)"]);
  expect(masked(from("email"), from("hmac"))).toEqual(["!phone is stored masked (email), was masked (hmac)"]);
  expect(masked(from("redact"), from("email"))).toEqual(["phone is stored masked (redact), was masked (email)"]);
  expect(masked(from("hmac"), from())).toEqual(["phone is stored masked (hmac), was in the clear"]);
  const list = (item?: FieldRule): Contract =>
    people({ name: "phones", kind: "array", required: false, ...(item === undefined ? {} : { item }) });
  expect(masked(list(text()), list(text("hmac")))).toEqual(["!phones[] is stored in the clear, was masked (hmac)"]);
  expect(masked(list(), list(text("hmac")))).toEqual(["!phones[] is stored in the clear, was masked (hmac)"]);
  const home = (...fields: FieldRule[]) => people({ name: "home", kind: "object", required: false, fields });
  expect(masked(home(text()), home(text("redact")))).toEqual([
    "!home.phone is stored in the clear, was masked (redact)",
  ]);
  // Unknown fields of a topic with masked fields are encrypted; of one without they are not.
  const other: FieldRule = { ...text("hmac"), name: "email" };
  expect(masked(people(other), people(other, text("hmac")))).toEqual([
    "phone is removed; who sends it has it kept in _extra",
  ]);
  for (const last of [people(text("hmac")), home(text("hmac"))]) {
    expect(masked(people(), last)).toEqual([
      expect.stringMatching(/^!.* is removed; who sends it has it kept in _extra in the clear, where it was masked$/),
    ]);
  }
  expect(masked({ ...people(), unknownFields: "reject" }, people(text("hmac")))[0]).toContain("in the clear now");
});

test("added fields break only where they are required", () => {
  const added = (required: boolean) =>
    orders({ version: "9.0.0", fields: [...orders().fields, { name: "note", kind: "string", required }] });
  expect(changes(added(true))).toEqual(["!note is added and required"]);
  expect(changes(added(false))).toEqual(["note is added, optional"]);
});

test("rules, windows, unknown fields, schema versions and settings", () => {
  const rule = { id: "orders.new", pointer: "", description: "d", expression: "true", program: checkRule("true", []) };
  const version = "9.0.0";
  expect(changes(orders({ version, rules: [...orders().rules, rule] }))).toEqual(["!orders.new a new rule: true"]);
  const window = { pastMs: 86_400_000, futureMs: 600_000 };
  expect(changes(orders({ version, eventTimeWindow: window }))).toEqual([
    "!eventTimeWindow reaches 1 d into the past, was 7 d",
    "eventTimeWindow reaches 10 min into the future, was 5 min",
  ]);
  expect(changes(orders({ version, eventTimeWindow: null }))).toHaveLength(2);
  expect(changes(orders({ version, unknownFields: "reject" }))).toEqual(["!unknownFields are refused now"]);
  const [first, ...others] = orders().schemas;
  if (first === undefined) throw new Error("orders has no schema");
  expect(changes(orders({ version, schemas: [{ ...first, retired: true }, ...others] }))).toEqual([
    "!schema v1 is retired",
  ]);
  expect(changes(orders({ version, schemas: others }))).toEqual(["!schema v1 is removed"]);
  expect(changes(orders({ version, shards: 4 }))).toEqual(["shards is 4, was 2"]);
  expect(changes(orders({ shards: 4 }))[1]).toMatch(/^version is still .*: raise it$/);
});

test("topics come and go", () => {
  const text = renderDiff(diffContracts([orders()], [orders({ topic: "sales" })]));
  expect(text).toEqual([
    "orders",
    "  BREAKING  topic is removed",
    "sales",
    "            topic is new",
    "",
    "2 changes, 1 breaking",
  ]);
});

test("the contracts of a commit are read below the repository's top too", () => {
  const repository = mkdtempSync(join(tmpdir(), "sluice-diff-"));
  const project = join(repository, "lake");
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: repository });
  try {
    for (const folder of ["contracts", "schemas"]) mkdirSync(join(project, folder), { recursive: true });
    for (const path of ["contracts/weather.yaml", "schemas/weather/v1.avsc"])
      cpSync(join(root, path), join(project, path));
    const { releases }: { releases: { topic: string }[] } = JSON.parse(
      readFileSync(join(root, "schemas/releases.json"), "utf8"),
    );
    const own = { releases: releases.filter(({ topic }) => topic === "weather") };
    writeFileSync(join(project, "schemas/releases.json"), JSON.stringify(own));
    git("init", "-q");
    git("add", ".");
    git("commit", "-q", "-m", "one");
    const path = join(project, "contracts/weather.yaml");
    writeFileSync(
      path,
      readFileSync(path, "utf8").replace("unknownFields, value: keep", "unknownFields, value: reject"),
    );
    const before = contractsAtRef(project, "HEAD");
    expect(before.problems).toEqual([]);
    const found = diffContracts(before.contracts, compileContracts(project).contracts);
    expect(found.map(({ subject }) => subject)).toEqual(["unknownFields", "version"]);
    expect(() => contractsAtRef(project, "no-such-branch")).toThrow("git does not know no-such-branch");
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
});
