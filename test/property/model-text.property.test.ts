/** Whatever stands in a model's file, the compiler says by file and line what is wrong, or compiles it: it never falls over. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileModels } from "../../tools/build/models/compile-models.ts";
import { ModelErrors } from "../../tools/build/models/model-error.ts";
import { shopTables } from "../oracle/shop-tables.ts";
import { natives } from "./native-statements.ts";

const HEADER = "/* ---\ndescription: a test\npartition: d\nkey: [d]\nmax_rows: 10\n--- */\n";
const GOLD = join(import.meta.dirname, "../../sql/gold");
const texts = [
  ...readdirSync(GOLD).map((name) => readFileSync(join(GOLD, name), "utf8")),
  `${HEADER}WITH RECURSIVE r AS (SELECT d, 1 AS n FROM t UNION ALL SELECT d, n + 1 FROM r) SELECT d FROM r;`,
  `${HEADER}SELECT d, list_transform(tags, x -> upper(x)) AS u, 'a;b' AS "c;" FROM t -- the end; of it`,
];
/** What only DuckDB runs is read from its plan, whatever stands in it. */
const nativeTexts = [
  ...Object.values(natives).map(([sql]) => HEADER + sql),
  ...[
    "SELECT t.d, l.k FROM t LEFT JOIN LATERAL (SELECT k FROM t u WHERE u.d = t.d AND u.k > t.k ORDER BY k LIMIT 1) l ON true",
    "FROM (PIVOT t ON k IN ('a', 'b') USING list(m ORDER BY m) GROUP BY d)",
    "UNPIVOT (SELECT d, k, s FROM t) ON k, s",
    "SELECT d, COLUMNS('[ks]') FROM t WHERE d IN (SELECT d FROM t WHERE m > ALL (SELECT n FROM t)) OR m = ANY (SELECT m FROM t)",
    "SELECT d, struct_pack(a := k, b := [m]) AS x, list_transform(tags, lambda v: list_filter(nums, lambda w: w > len(v))) AS y FROM t",
    "SELECT d, k FROM t NATURAL JOIN (SELECT d, max(k) AS k FROM t GROUP BY d) WHERE (d, k) NOT IN (SELECT d, s FROM t)",
    "WITH a AS MATERIALIZED (SELECT * FROM t), b AS (SELECT d, count(*) OVER (PARTITION BY d) AS c FROM a) SELECT d, c FROM b UNION BY NAME SELECT d FROM a",
    "SELECT d, x.generate_series AS g FROM t, generate_series(1, m) x WHERE m < 3",
  ].map((sql) => HEADER + sql),
];
const WORDS = [
  ..."; ;; ( ) , . ' \" * / -- /* */ --- : [ ] { } $1 ? \0 \u{1f600} \n \t 0 -1 1e400 99999999999999999999".split(" "),
  ..."SELECT FROM t WHERE GROUP BY d UNION ALL INTERSECT WITH RECURSIVE VALUES NULL CASE WHEN END LIMIT 1 OVER".split(
    " ",
  ),
  ..."DISTINCT ON FILTER HAVING ORDER QUALIFY PIVOT SUMMARIZE unnest( count(*) sum( date_trunc( ::JSON ::MAP &a *a".split(
    " ",
  ),
];

const changed = (from: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...from),
      fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...WORDS), fc.nat()), { minLength: 1, maxLength: 4 }),
    )
    .map(mutated);

/** A text whose pieces (words, blanks, signs) are left out, doubled, swapped, or replaced by other ones. */
function mutated([text, changes]: readonly [
  string,
  readonly (readonly [place: number, kind: number, word: string, other: number])[],
]): string {
  const pieces = text.match(/\w+|\s+|[^\w\s]/gu) ?? [];
  for (const [place, kind, word, other] of changes) {
    const at = place % pieces.length;
    const piece = pieces[at] ?? "";
    if (kind === 0) pieces.splice(at, 1);
    else if (kind === 1) pieces.splice(at, 0, piece);
    else if (kind === 2) pieces.splice(at, 1, word);
    else pieces.splice(at, 1, pieces[other % pieces.length] ?? "");
  }
  return pieces.join("");
}

test.each([
  ["the edge's", texts],
  ["native", nativeTexts],
])(
  "every text of a model (%s, changed) compiles or is refused by file, line, cause and remedy",
  async (_of, from) => {
    await fc.assert(
      fc.asyncProperty(fc.array(changed(from), { minLength: 60, maxLength: 60 }), async (models) => {
        const sources = models.map((text, index) => ({ path: `sql/gold/model_${index}.sql`, text }));
        try {
          const compiled = await compileModels({ models: sources, tables: shopTables });
          expect(compiled).toHaveLength(sources.length);
        } catch (error) {
          if (!(error instanceof ModelErrors)) throw error;
          for (const { file, line, column, problem, fix } of error.errors) {
            expect(sources.map(({ path }) => path)).toContain(file);
            expect([line > 0, column > 0, problem.length > 5, fix.length > 5]).toEqual([true, true, true, true]);
            expect(problem).not.toMatch(/INTERNAL|unique_ptr|Cannot read/);
            expect(problem).not.toMatch(/not understood/);
          }
        }
      }),
      { numRuns: 3, endOnFailure: true },
    );
  },
  60_000,
);
