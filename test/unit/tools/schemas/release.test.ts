import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { renderProblem } from "../../../../tools/build/problem.ts";
import { loadSchemas } from "../../../../tools/build/schemas/load.ts";
import { releaseCandidates, reviewSchemas } from "../../../../tools/build/schemas/release.ts";

const parent = mkdtempSync(join(tmpdir(), "sluice-schemas-"));
afterAll(() => rmSync(parent, { recursive: true }));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(parent, "project-"));
  write("schemas/releases.json", { $comment: "kept", releases: [] });
});

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
}

const id = { name: "id", type: "string" };
const added = { name: "x", type: ["null", "int"], default: null };

function schema(version: number, ...fields: unknown[]): void {
  write(`schemas/things/v${version}.avsc`, { type: "record", name: "Thing", fields });
}

function release(): void {
  const review = reviewSchemas(root);
  expect(review.problems).toEqual([]);
  releaseCandidates(root, review);
}

const problems = () => loadSchemas(root).problems.map(renderProblem);
const reviewed = () => reviewSchemas(root).problems.map(renderProblem);
const releases = () => JSON.parse(readFileSync(join(root, "schemas/releases.json"), "utf8"));

describe("the release of schemas", () => {
  test("gives ids in turn and digests, keeps the rest of the file, and does nothing twice", () => {
    schema(1, id);
    expect(problems()).toEqual([expect.stringMatching(/^schemas\/things\/v1\.avsc: is not released/)]);
    release();
    schema(2, id, added);
    release();
    release();
    expect(releases()).toMatchObject({
      $comment: "kept",
      releases: [
        { id: 100_001, topic: "things", version: 1 },
        { id: 100_002, topic: "things", version: 2 },
      ],
    });
    expect(problems()).toEqual([]);
  });

  test("refuses what admission could not start with, by file and line", () => {
    schema(1, id, { name: "constructor", type: "string" });
    expect(reviewed()).toEqual([
      expect.stringMatching(/^schemas\/things\/v1\.avsc:\d+: a field cannot be named constructor/),
    ]);
    schema(1, id, { name: "tags", type: { type: "array", items: ["null", "string"] } });
    expect(reviewed().join()).toMatch(/^schemas\/things\/v1\.avsc:\d+: .*tags/);
    const wide = Array.from({ length: 1_001 }, (_, at) => ({ name: `f${at}`, type: "string" }));
    schema(1, ...wide);
    expect(reviewed()).toEqual([expect.stringContaining("1001 fields, nested ones included, are more than 1000")]);
    let deep: unknown = "string";
    for (let level = 0; level < 33; level++) deep = { type: "array", items: deep };
    schema(1, id, { name: "deep", type: deep });
    expect(reviewed()).toEqual([expect.stringMatching(/v1\.avsc:\d+: deep is nested deeper than 32 levels/)]);
  });

  test("refuses what is not compatible, by file, line and reason", () => {
    schema(1, id);
    release();
    schema(2, id, { name: "x", type: "int" });
    expect(reviewed()).toEqual([
      expect.stringMatching(
        /^schemas\/things\/v2\.avsc:9: v2 cannot read what v1 writes \(compatibility FULL_TRANSITIVE\): field "x"/,
      ),
    ]);
  });

  test("the contract chooses the mode; types that no one table holds are refused in any", () => {
    const mode = (value: string) =>
      write("contracts/things.yaml", `customProperties:\n  - { property: compatibility, value: ${value} }\n`);
    schema(1, id, { name: "x", type: "int" });
    release();
    schema(2, id, { name: "x", type: "long" });
    expect(reviewed()).toEqual([expect.stringContaining("v1 cannot read what v2 writes")]);
    mode("BACKWARD");
    expect(reviewed()).toEqual([]);
    schema(2, id, { name: "x", type: "string" });
    mode("NONE");
    expect(reviewed()).toEqual([expect.stringContaining("no one column holds")]);
  });

  test("a version that is not the next one, a default that is none, a name that is none", () => {
    schema(1, id);
    release();
    schema(3, id, added);
    expect(reviewed()).toEqual([expect.stringContaining("the next version of things is v2")]);
    rmSync(join(root, "schemas/things/v3.avsc"));
    schema(2, id, { name: "x", type: ["null", "int"] });
    expect(reviewed().join()).toMatch(/v2\.avsc:9: .*must be null/);
    rmSync(join(root, "schemas/things/v2.avsc"));
    write("schemas/things/next.avsc", { type: "record", name: "Thing", fields: [id] });
    expect(reviewed()).toEqual([expect.stringContaining("a schema is named")]);
  });
});

describe("names that no reader would take are not released", () => {
  const record = (name: string, ...fields: unknown[]) => ({ type: "record", name, fields });
  const place = (namespace?: string) => ({
    ...record("Place", { name: "lat", type: "double" }),
    ...(namespace === undefined ? {} : { namespace }),
  });

  test.each([
    ["a field twice", [id, id], /v1\.avsc:9: field "id": the field "id" is there twice/],
    [
      "a nested field twice",
      [id, { name: "p", type: record("P", id, added, id) }],
      /v1\.avsc:\d+: field "p.id": the field "id" is there twice/,
    ],
    [
      "two records of one full name",
      [id, { name: "from", type: place() }, { name: "to", type: ["null", place()], default: null }],
      /v1\.avsc:\d+: field "to": the type "Place" is defined twice: give one of them another name/,
    ],
    ["the record's own name inside", [id, { name: "p", type: record("Thing", id) }], /"Thing" is defined twice/],
    ["a name with a dash", [{ name: "a-b", type: "int" }], /"a-b" is not the name of a field: letters, digits and _/],
    ["a primitive's name", [{ name: "p", type: record("long", id) }], /"long" is the name of a primitive type/],
    ["a namespace that is none", [{ name: "p", type: place("a b") }], /"a b\.Place" is not a name/],
    [
      "a key twice",
      '{"type":"record","name":"T","fields":[\n{"name":"a","type":"int","name":"b"}]}',
      /v1\.avsc:2: .*unique/,
    ],
  ])("%s", (_what, fields, message) => {
    if (typeof fields === "string") write("schemas/things/v1.avsc", fields);
    else schema(1, ...fields);
    expect(reviewed()).toEqual([expect.stringMatching(message)]);
  });

  test("what the specification allows is", () => {
    const fields = [id, { name: "from", type: place("a") }, { name: "to", type: place("b") }];
    write("schemas/things/v1.avsc", { ...record("shop.Thing", ...fields), doc: "a name may bring its namespace" });
    release();
    schema(2, ...fields, added);
    release();
    expect(problems()).toEqual([]);
  });

  test("a list of releases that is not JSON says where", () => {
    write("schemas/releases.json", '{\n"releases": [\n}');
    expect(problems()[0]).toMatch(/^schemas\/releases\.json:3: /);
    write("schemas/releases.json", '{\n"releases": [\n{ "id": 1 }]}');
    expect(problems()[0]).toMatch(/^schemas\/releases\.json:3: releases\.0\.id/);
  });
});

describe("a released schema", () => {
  test("that changed or went is an error", () => {
    schema(1, id);
    schema(2, id, added);
    release();
    schema(1, id, added);
    expect(problems()).toEqual([expect.stringMatching(/v1\.avsc: changed after its release/)]);
    rmSync(join(root, "schemas/things/v1.avsc"));
    expect(problems()).toEqual([expect.stringContaining("a released schema stays")]);
    const { releases: entries } = releases();
    write("schemas/releases.json", { releases: entries.slice(1) });
    expect(problems().join()).toContain("where v1 is due");
  });

  test("may be retired, except the newest", () => {
    schema(1, id);
    schema(2, id, added);
    release();
    const retire = (version: number) =>
      write("schemas/releases.json", {
        releases: releases().releases.map((entry: { version: number }) =>
          entry.version === version ? { ...entry, retired: true } : entry,
        ),
      });
    retire(1);
    expect(problems()).toEqual([]);
    expect(loadSchemas(root).releases.map(({ retired }) => retired === true)).toEqual([true, false]);
    retire(2);
    expect(problems().join()).toContain("is its newest version");
  });
});
