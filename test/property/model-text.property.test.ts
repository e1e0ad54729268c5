/** Whatever stands in a model's file, the compiler says by file and line what is wrong, or compiles it: it never falls over. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileModels } from "../../tools/build/models/compile-models.ts";
import { ModelErrors } from "../../tools/build/models/model-error.ts";
import { shopTables } from "../oracle/shop-tables.ts";

const HEADER = "/* ---\ndescription: a test\npartition: d\nkey: [d]\nmax_rows: 10\n--- */\n";
const GOLD = join(import.meta.dirname, "../../sql/gold");
const texts = [
  ...readdirSync(GOLD).map((name) => readFileSync(join(GOLD, name), "utf8")),
  `${HEADER}WITH RECURSIVE r AS (SELECT d, 1 AS n FROM t UNION ALL SELECT d, n + 1 FROM r) SELECT d FROM r;`,
  `${HEADER}SELECT d, list_transform(tags, x -> upper(x)) AS u, 'a;b' AS "c;" FROM t -- the end; of it`,
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

/** A text whose pieces (words, blanks, signs) are left out, doubled, swapped, or replaced by other ones. */
const changed = fc
  .tuple(
    fc.constantFrom(...texts),
    fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...WORDS), fc.nat()), { minLength: 1, maxLength: 4 }),
  )
  .map(([text, changes]) => {
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
  });

test("every text of a model compiles or is refused by file, line, cause and remedy", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(changed, { minLength: 60, maxLength: 60 }), async (models) => {
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
        }
      }
    }),
    { numRuns: 3, endOnFailure: true },
  );
}, 60_000);
