/** The pages keep to what is there: their links, the files and commands that they name, and the tests that test/README.md lists. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { expect, test } from "vitest";
import { contractOf } from "../../../contracts/registry.ts";

const root = resolve(import.meta.dirname, "../../..");
const pages = ["README.md", "test/README.md", ...globSync("docs/*.md", { cwd: root }).sort()];
const textOf = (page: string) => readFileSync(join(root, page), "utf8");

/** Blocks in fences and comments are examples and generated text: they hold no links, and headings of their own. */
const proseOf = (page: string) => textOf(page).replace(/^```.*?^```/gms, "");

/** As GitHub names a heading's anchor. */
function anchorsOf(page: string): Set<string> {
  const headings = proseOf(page).matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- ]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Links within the project: the page that they point at, and the anchor there. */
function linksOf(page: string) {
  return [...proseOf(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(
    ([link, path = "", anchor]) => ({
      link,
      target: path === "" ? page : normalize(join(dirname(page), path)),
      anchor,
    }),
  );
}

/** The texts between backticks, examples in fences included. */
const spansOf = (page: string) => [...textOf(page).matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);

test("every link of a page leads somewhere, and every page is linked from another", () => {
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter(({ target, anchor }) => {
        if (!existsSync(join(root, target))) return true;
        return anchor !== undefined && !anchorsOf(target).has(anchor);
      })
      .map(({ link }) => `${page}: ${link}`),
  );
  expect(broken).toEqual([]);
  const linked = new Set(pages.flatMap((page) => linksOf(page).map(({ target }) => (target === page ? "" : target))));
  expect(pages.filter((page) => page !== "README.md" && !linked.has(page))).toEqual([]);
});

test("every file that a page names by its path in the project exists", () => {
  const folders =
    "builder|contracts|docs|durable-objects|gateway|lakehouse|producers|queue-consumers|scheduled|schemas|sql|test|tools";
  const path = new RegExp(`^(?:${folders})/[\\w./*-]+$`);
  // Files of the walk-through's topic, models that pages make up as examples, and the folder that the first silver model makes.
  const madeUp = /reviews|weekly_buyers|sql\/silver|TOPIC|\/\.\.\./;
  const missing = pages.flatMap((page) =>
    spansOf(page)
      .filter((span) => path.test(span) && !madeUp.test(span) && globSync(span, { cwd: root }).length === 0)
      .map((span) => `${page}: ${span}`),
  );
  expect(missing).toEqual([]);
});

test("every test that test/README.md lists exists", () => {
  const missing = spansOf("test/README.md")
    .filter((span) => /^(?:unit|property|platform|oracle)\/\S+$/.test(span))
    .filter((span) => globSync([span, `${span}.ts`], { cwd: join(root, "test") }).length === 0);
  expect(missing).toEqual([]);
});

test("every command that a page names exists, and the start page names every command of sluice", () => {
  const scripts = new Set(Object.keys(JSON.parse(textOf("package.json")).scripts));
  const commands = new Set(
    [...textOf("tools/cli/main.ts").matchAll(/^ {2}"?([a-z-]+)"?: \(\) => import/gm)].map(([, name = ""]) => name),
  );
  const unknown = pages.flatMap((page) => [
    ...[...textOf(page).matchAll(/npm run (?:-s )?([a-z:-]+)/g)].filter(([, name = ""]) => !scripts.has(name)),
    ...[...textOf(page).matchAll(/npx sluice ([a-z-]+)/g)].filter(([, name = ""]) => !commands.has(name)),
  ]);
  expect(unknown.map(([command]) => command)).toEqual([]);
  const named = new Set([...textOf("README.md").matchAll(/npx sluice ([a-z-]+)/g)].map(([, name = ""]) => name));
  expect([...commands].filter((name) => !named.has(name))).toEqual([]);
});

test("every metric and every kind of alert that operations.md names is the code's, and none is left out", () => {
  const page = textOf("docs/operations.md");
  const sources = (pattern: string) =>
    globSync(pattern, { cwd: root })
      .map((file) => textOf(file))
      .join("\n");
  const metrics = new Set([...sources("gateway/**/*.ts").matchAll(/"(sluice_[a-z_]+)"/g)].map(([, name = ""]) => name));
  const namedMetrics = new Set([...page.matchAll(/sluice_[a-z_]+[a-z]/g)].map(([name]) => name));
  expect([...namedMetrics].filter((name) => !metrics.has(name))).toEqual([]);
  expect([...metrics].filter((name) => !namedMetrics.has(name))).toEqual([]);
  const rows = [...page.matchAll(/^\| `([a-z_]+)` \| [a-z]+/gm)].map(([, kind = ""]) => kind);
  const kinds = contractOf("pipeline_alerts")?.fields.find(({ name }) => name === "kind")?.accepted ?? [];
  expect([...new Set(rows)].filter((row) => kinds.includes(row)).sort()).toEqual([...kinds].sort());
});
